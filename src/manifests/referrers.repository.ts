import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { digestFromBytes, digestToBytes } from '../oci/digest-bytes.js';
import type { Digest } from '../oci/digest.js';
import { Manifest } from './manifest.entity.js';

export interface ReferrerRow {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly artifactType: string | null;
  readonly size: number;
  readonly bytes: Buffer;
}

export interface ReferrerQuery {
  readonly repoId: number;
  readonly subject: Digest;
  readonly artifactType: string | null;
  /** Exclusive. */
  readonly after: Digest | null;
  readonly limit: number;
  /** Of the manifests that a page is made of; the first one is taken whatever its size. */
  readonly maxBytes: number;
}

// The size decides before the bytes are read: what is too much for the page is never fetched.
const LIST = `
SELECT digest, "mediaType", "artifactType", size, bytes FROM (
  SELECT m.digest, m.media_type AS "mediaType", COALESCE(m.artifact_type, m.config_media_type) AS "artifactType",
    m.size, m.bytes, sum(m.size) OVER (ORDER BY m.digest) AS total, row_number() OVER (ORDER BY m.digest) AS position
  FROM manifests m
  WHERE m.repo_id = $1 AND m.subject = $2 AND m.deleted_at IS NULL
    AND ($3::bytea IS NULL OR m.digest > $3)
    AND ($4::text IS NULL OR COALESCE(m.artifact_type, m.config_media_type) = $4)
  ORDER BY m.digest LIMIT $5
) page WHERE total <= $6 OR position = 1
ORDER BY digest`;

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
    const rows: (Omit<ReferrerRow, 'digest'> & { digest: Buffer })[] = await this.manifests.manager.query(LIST, [
      repoId,
      digestToBytes(subject),
      after && digestToBytes(after),
      artifactType,
      limit,
      maxBytes,
    ]);
    return rows.map((row) => ({ ...row, digest: digestFromBytes(row.digest) }));
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
}
