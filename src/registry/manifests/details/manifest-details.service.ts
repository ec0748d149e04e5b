import { Injectable } from '@nestjs/common';
import { ContentService } from '../../blobs/content.service.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import type { Digest } from '../../../oci/digest.js';
import type { ImageConfig } from '../../../oci/image-config.js';
import type { ReferrerDescriptor } from '../../../oci/referrers.js';
import { ImageConfigs } from './image-configs.service.js';
import { ImagePlatforms } from './image-platforms.js';
import { type ManifestDetailRow, ManifestDetailsRepository } from './manifest-details.repository.js';
import { ReferrersService } from '../../referrers/referrers.service.js';
import { ManifestSummaries } from '../summaries/manifest-summaries.service.js';
import type { ManifestSummary, ShownChild } from '../summaries/manifest-summary.js';

const REFERRERS_SHOWN = 100;

/** All that is shown of one manifest. */
export interface ManifestDetails {
  readonly row: ManifestDetailRow;
  readonly summary: ManifestSummary;
  /** `null` for what is no image's, and when it cannot be read now. */
  readonly image: ImageConfig | null;
  /** Of an index. */
  readonly children: readonly (ShownChild & { readonly present: boolean })[];
  readonly referrers: readonly ReferrerDescriptor[];
  /** Whether there is more of something. */
  readonly isCut: boolean;
}

@Injectable()
export class ManifestDetailsService {
  constructor(
    private readonly manifests: ManifestDetailsRepository,
    private readonly summaries: ManifestSummaries,
    private readonly content: ContentService,
    private readonly referrers: ReferrersService,
    private readonly configs: ImageConfigs,
    private readonly platforms: ImagePlatforms,
  ) {}

  /** `null` when the repository has no such manifest. */
  async find(repository: RepositoryFact, digest: Digest, signal: AbortSignal): Promise<ManifestDetails | null> {
    const row = await this.manifests.find(repository.id, digest);
    if (!row) return null;
    const summary = await this.summaries.of(repository.id, row, signal);
    const { children } = summary;
    const [present, referrers, image] = await Promise.all([
      this.content.present(
        repository,
        children.map((child) => child.digest),
      ),
      this.referrers.first(repository, digest, REFERRERS_SHOWN),
      this.readConfig(repository, row, summary, signal),
    ]);
    return {
      row,
      summary,
      image,
      children: children.map((child) => ({ ...child, present: present.has(child.digest) })),
      referrers: referrers.descriptors,
      isCut: summary.isCut || referrers.isCut,
    };
  }

  /** What was not known of the image's platform is written down. */
  private async readConfig(
    repository: RepositoryFact,
    { digest, platforms }: ManifestDetailRow,
    { config: descriptor }: ManifestSummary,
    signal: AbortSignal,
  ): Promise<ImageConfig | null> {
    const config = descriptor && (await this.configs.read(repository, descriptor, signal));
    if (config && platforms === null) await this.platforms.save([{ repoId: repository.id, digest, config }]);
    return config;
  }
}
