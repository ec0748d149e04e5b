import { Injectable } from '@nestjs/common';
import type { RepositoryFact } from '../http/request-context.js';
import type { Digest } from '../oci/digest.js';
import { type ReferrerDescriptor, referrerDescriptor } from '../oci/referrers.js';
import { ParsedManifests } from './parsed-manifests.js';
import { type ReferrerRow, ReferrersRepository } from './referrers.repository.js';

/**
 * Clients refuse a manifest above 4 MiB, and the list is one. A descriptor is never longer than the manifest whose
 * annotations it repeats, but for the few hundred bytes of its own fields.
 */
const PAGE_BYTES = 3 * 1024 * 1024;
const PAGE_ENTRIES = 1_000;

export interface ReferrerPage {
  readonly descriptors: readonly ReferrerDescriptor[];
  /** The last of these when there are more. */
  readonly continueAfter: Digest | null;
}

@Injectable()
export class ReferrersService {
  constructor(
    private readonly referrers: ReferrersRepository,
    private readonly parsed: ParsedManifests,
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
    return { descriptors: rows.map((row) => this.describe(row)), continueAfter: hasMore ? end : null };
  }

  /** The first of them, for a page about the subject. */
  async first({ id: repoId }: RepositoryFact, subject: Digest, limit: number): Promise<readonly ReferrerDescriptor[]> {
    const query = { repoId, subject, artifactType: null, after: null };
    return (await this.referrers.list({ ...query, limit, maxBytes: PAGE_BYTES })).map((row) => this.describe(row));
  }

  private describe({ bytes, ...row }: ReferrerRow): ReferrerDescriptor {
    return referrerDescriptor({ ...row, annotations: this.parsed.annotations({ digest: row.digest, bytes }) });
  }
}
