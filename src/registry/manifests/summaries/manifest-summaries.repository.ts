import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { digestToBytes } from '../../../oci/digest-bytes.js';
import type { Digest } from '../../../oci/digest.js';
import { Manifest } from '../manifest.entity.js';

/** A manifest's annotations as JSON. */
export interface AnnotationsText {
  readonly digest: Digest;
  readonly annotations: string;
}

/** A manifest without a stored summary. */
export interface Unread {
  readonly details: string | null;
  readonly bytes: Buffer | null;
}

// What others are writing to is left for the next who reads: a read waits for no lock.
const SAVE_DETAILS = `
WITH free AS (
  SELECT digest FROM manifests WHERE repo_id = $1 AND digest = $2 FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE manifests m SET details = $3 FROM free f WHERE m.repo_id = $1 AND m.digest = f.digest`;

const SAVE_ANNOTATIONS = `
WITH free AS (
  SELECT m.digest, u.annotations FROM unnest($2::bytea[], $3::text[]) AS u(digest, annotations)
  JOIN manifests m ON m.repo_id = $1 AND m.digest = u.digest
  WHERE m.annotations IS NULL ORDER BY m.digest FOR NO KEY UPDATE OF m SKIP LOCKED
)
UPDATE manifests m SET annotations = f.annotations FROM free f WHERE m.repo_id = $1 AND m.digest = f.digest`;

const UNREAD = `
SELECT details, CASE WHEN details IS NULL OR $3 THEN bytes END AS bytes
FROM manifests WHERE repo_id = $1 AND digest = $2`;

@Injectable()
export class ManifestSummariesRepository {
  constructor(@InjectRepository(Manifest) private readonly manifests: Repository<Manifest>) {}

  /** With the bytes if there are no details, or outdated ones. */
  async unread(repoId: number, digest: Digest, isStale: boolean): Promise<Unread | null> {
    const [row] = await this.query<Unread>(UNREAD, [repoId, digestToBytes(digest), isStale]);
    return row ?? null;
  }

  async saveDetails(repoId: number, digest: Digest, details: string): Promise<void> {
    await this.query(SAVE_DETAILS, [repoId, digestToBytes(digest), details]);
  }

  async saveAnnotations(repoId: number, found: readonly AnnotationsText[]): Promise<void> {
    const digests = found.map(({ digest }) => digestToBytes(digest));
    await this.query(SAVE_ANNOTATIONS, [repoId, digests, found.map(({ annotations }) => annotations)]);
  }

  private query<T>(sql: string, parameters: unknown[]): Promise<T[]> {
    return this.manifests.manager.query(sql, parameters);
  }
}
