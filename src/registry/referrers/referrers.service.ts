import { Injectable } from '@nestjs/common';
import type { RepositoryFact } from '../../access/repository-fact.js';
import type { Digest } from '../../oci/digest.js';
import type { Annotations } from '../../oci/descriptor.js';
import { type ReferrerDescriptor, referrerDescriptor, referrerText } from '../../oci/referrers.js';
import { type ReferrerRow, ReferrersRepository } from './referrers.repository.js';
import { ManifestSummaries } from '../manifests/summaries/manifest-summaries.service.js';

/** Clients refuse a manifest above 4 MiB, and the list is one. */
const PAGE_BYTES = 3 * 1024 * 1024;
const PAGE_ENTRIES = 1_000;
/** Of a page about the subject, which is one of several parts of an answer. */
const FIRST_BYTES = 128 * 1024;

export interface ReferrerPage {
  /** Each as JSON: what a page repeats is not parsed for it. */
  readonly descriptors: readonly string[];
  /** The last of these when there are more. */
  readonly continueAfter: Digest | null;
}

/** The first referrers of a manifest. */
export interface FirstReferrers {
  readonly descriptors: readonly ReferrerDescriptor[];
  /** Whether annotations were left out. */
  readonly isCut: boolean;
}

@Injectable()
export class ReferrersService {
  constructor(
    private readonly referrers: ReferrersRepository,
    private readonly summaries: ManifestSummaries,
  ) {}

  /** The manifests of this repository that name the subject, which need not exist. */
  async list(
    { id: repoId }: RepositoryFact,
    subject: Digest,
    { artifactType, after }: { artifactType: string | null; after: Digest | null },
  ): Promise<ReferrerPage> {
    const query = { repoId, subject, artifactType };
    const rows = await this.referrers.list({ ...query, after, limit: PAGE_ENTRIES, maxBytes: PAGE_BYTES });
    const end = rows.at(-1)?.digest ?? null;
    const hasMore = end !== null && (await this.referrers.hasMore(query, end));
    const annotations = await this.annotationsOf(repoId, rows);
    const descriptors = rows.map((row) => referrerText({ ...row, annotations: annotations(row) ?? '{}' }));
    return { descriptors, continueAfter: hasMore ? end : null };
  }

  /** The first of them, for a page about the subject. */
  async first({ id: repoId }: RepositoryFact, subject: Digest, limit: number): Promise<FirstReferrers> {
    const rows = await this.referrers.first({ repoId, subject, limit, maxBytes: FIRST_BYTES });
    const annotations = await this.annotationsOf(repoId, rows);
    const texts = rows.map(annotations);
    return {
      descriptors: rows.map((row, index) =>
        referrerDescriptor({ ...row, annotations: JSON.parse(texts[index] ?? '{}') as Annotations }),
      ),
      isCut: texts.includes(null),
    };
  }

  private async annotationsOf(
    repoId: number,
    rows: readonly ReferrerRow[],
  ): Promise<(row: ReferrerRow) => string | null> {
    const read = await this.summaries.annotationsOf(repoId, rows);
    return ({ digest, annotations }) => annotations ?? read.get(digest) ?? null;
  }
}
