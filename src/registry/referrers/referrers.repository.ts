import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { digestFromBytes, digestToBytes } from '../../oci/digest-bytes.js';
import type { Digest } from '../../oci/digest.js';
import { Manifest } from '../manifests/manifest.entity.js';

export interface ReferrerRow {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly artifactType: string | null;
  readonly size: number;
  /** As JSON; `null` until they were read. */
  readonly annotations: string | null;
  /** Only where annotations are to be read. */
  readonly bytes: Buffer | null;
}

export interface ReferrerQuery {
  readonly repoId: number;
  readonly subject: Digest;
  readonly artifactType: string | null;
  /** Exclusive. */
  readonly after: Digest | null;
  readonly limit: number;
  /** Of the page; the first one is taken whatever its size. */
  readonly maxBytes: number;
}

/** Of an entry without its annotations, at most. */
const ENTRY_BYTES = 800;

const ENTRY = `m.digest, m.media_type AS "mediaType", COALESCE(m.artifact_type, m.config_media_type) AS "artifactType",
    m.size, m.annotations, m.bytes`;
// Annotations that are still to be read are at most what the manifest is.
const TOTAL = `sum(${ENTRY_BYTES} + COALESCE(octet_length(m.annotations), m.size)) OVER (ORDER BY m.digest) AS total`;

// The sizes decide before anything is read: what is too much for the page is never fetched.
const LIST = `
SELECT digest, "mediaType", "artifactType", size, annotations, CASE WHEN annotations IS NULL THEN bytes END AS bytes
FROM (
  SELECT ${ENTRY}, ${TOTAL}, row_number() OVER (ORDER BY m.digest) AS position
  FROM manifests m
  WHERE m.repo_id = $1 AND m.subject = $2 AND m.deleted_at IS NULL
    AND ($3::bytea IS NULL OR m.digest > $3)
    AND ($4::text IS NULL OR COALESCE(m.artifact_type, m.config_media_type) = $4)
  ORDER BY m.digest LIMIT $5
) page WHERE total <= $6 OR position = 1
ORDER BY digest`;

const FIRST = `
SELECT digest, "mediaType", "artifactType", size, CASE WHEN total <= $4 THEN annotations END AS annotations,
  CASE WHEN annotations IS NULL AND total <= $4 THEN bytes END AS bytes
FROM (
  SELECT ${ENTRY}, ${TOTAL} FROM manifests m
  WHERE m.repo_id = $1 AND m.subject = $2 AND m.deleted_at IS NULL
  ORDER BY m.digest LIMIT $3
) page ORDER BY digest`;

const HAS_MORE = `
SELECT EXISTS (
  SELECT FROM manifests m
  WHERE m.repo_id = $1 AND m.subject = $2 AND m.deleted_at IS NULL AND m.digest > $3
    AND ($4::text IS NULL OR COALESCE(m.artifact_type, m.config_media_type) = $4)
) AS more`;

@Injectable()
export class ReferrersRepository {
  constructor(@InjectRepository(Manifest) private readonly manifests: Repository<Manifest>) {}

  /** In the order of their digests, as many as fit. */
  async list({ repoId, subject, artifactType, after, limit, maxBytes }: ReferrerQuery): Promise<ReferrerRow[]> {
    const key = after && digestToBytes(after);
    return this.rows(LIST, [repoId, digestToBytes(subject), key, artifactType, limit, maxBytes]);
  }

  /** The first ones; with annotations, or the bytes to read them from, as far as these fit. */
  first({ repoId, subject, limit, maxBytes }: Omit<ReferrerQuery, 'artifactType' | 'after'>): Promise<ReferrerRow[]> {
    return this.rows(FIRST, [repoId, digestToBytes(subject), limit, maxBytes]);
  }

  async hasMore(query: Pick<ReferrerQuery, 'repoId' | 'subject' | 'artifactType'>, after: Digest): Promise<boolean> {
    const [row]: { more: boolean }[] = await this.manifests.manager.query(HAS_MORE, [
      query.repoId,
      digestToBytes(query.subject),
      digestToBytes(after),
      query.artifactType,
    ]);
    return row?.more ?? false;
  }

  private async rows(sql: string, values: unknown[]): Promise<ReferrerRow[]> {
    const rows: (Omit<ReferrerRow, 'digest'> & { digest: Buffer })[] = await this.manifests.manager.query(sql, values);
    return rows.map((row) => ({ ...row, digest: digestFromBytes(row.digest) }));
  }
}
