import { Injectable } from '@nestjs/common';
import { ContentService } from '../blobs/content.service.js';
import type { RepositoryFact } from '../http/request-context.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import type { ImageConfig } from '../oci/image-config.js';
import type { ParsedManifest, ReferenceRole } from '../oci/manifest.js';
import type { ReferrerDescriptor } from '../oci/referrers.js';
import { ImageConfigs } from './image-configs.service.js';
import { ImagePlatforms } from './image-platforms.js';
import { type ManifestDetailRow, ManifestDetailsRepository } from './manifest-details.repository.js';
import { ParsedManifests } from './parsed-manifests.js';
import { ReferrersService } from './referrers.service.js';

const REFERRERS_SHOWN = 100;

/** All that is shown of one manifest. */
export interface ManifestDetails {
  readonly row: ManifestDetailRow;
  readonly parsed: ParsedManifest;
  /** `null` for what is no image's, and when it cannot be read now. */
  readonly image: ImageConfig | null;
  readonly layers: readonly Descriptor[];
  /** Of an index. */
  readonly children: readonly (Descriptor & { readonly present: boolean })[];
  readonly referrers: readonly ReferrerDescriptor[];
}

@Injectable()
export class ManifestDetailsService {
  constructor(
    private readonly manifests: ManifestDetailsRepository,
    private readonly content: ContentService,
    private readonly referrers: ReferrersService,
    private readonly configs: ImageConfigs,
    private readonly platforms: ImagePlatforms,
    private readonly parsed: ParsedManifests,
  ) {}

  /** `null` when the repository has no such manifest. */
  async find(repository: RepositoryFact, digest: Digest, signal: AbortSignal): Promise<ManifestDetails | null> {
    const row = await this.manifests.find(repository.id, digest);
    if (!row) return null;
    const parsed = this.parsed.of(row);
    const children = namedAs('manifest', parsed);
    const [present, referrers, image] = await Promise.all([
      this.content.present(
        repository,
        children.map((child) => child.digest),
      ),
      this.referrers.first(repository, digest, REFERRERS_SHOWN),
      this.readConfig(repository, row, parsed, signal),
    ]);
    return {
      row,
      parsed,
      image,
      layers: [...namedAs('layer', parsed), ...namedAs('blob', parsed)],
      children: children.map((child) => ({ ...child, present: present.has(child.digest) })),
      referrers,
    };
  }

  /** What was not known of the image's platform is written down. */
  private async readConfig(
    repository: RepositoryFact,
    { digest, platforms }: ManifestDetailRow,
    { config: descriptor }: ParsedManifest,
    signal: AbortSignal,
  ): Promise<ImageConfig | null> {
    const config = descriptor && (await this.configs.read(repository, descriptor, signal));
    if (config && platforms === null) await this.platforms.save([{ repoId: repository.id, digest, config }]);
    return config;
  }
}

function namedAs(role: ReferenceRole, { references }: ParsedManifest): Descriptor[] {
  return references.filter((reference) => reference.role === role).map(({ descriptor }) => descriptor);
}
