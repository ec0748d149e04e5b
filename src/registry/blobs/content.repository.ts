import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Transaction } from '../../database/unit-of-work.js';
import { digestFromBytes, digestsToArray, digestToBytes } from '../../oci/digest-bytes.js';
import type { Digest } from '../../oci/digest.js';
import { type ContentKind, RepoContent } from './repo-content.entity.js';

/** A blob that a repository holds, and where its bytes are. */
export interface HeldBlob {
  readonly blobId: number;
  /** Bytes. */
  readonly size: number;
  readonly storageKey: string;
}

/** One row of `repo_content` under the caller's lock. */
export interface HeldContent {
  readonly digest: Digest;
  readonly kind: ContentKind;
  readonly size: number | null;
  /** False for content that is only named, and for a blob that the collector has begun to delete. */
  readonly present: boolean;
}

export interface AbsentContent {
  readonly digest: Digest;
  readonly kind: ContentKind;
  readonly size: number;
}

const FIND = `
SELECT b.id AS "blobId", b.size, b.storage_key AS "storageKey"
FROM repo_content c JOIN blobs b ON b.id = c.blob_id
WHERE c.repo_id = $1 AND c.digest = $2 AND c.kind = 'blob' AND c.present AND b.state = 'live'`;

const PRESENT = 'SELECT DISTINCT digest FROM repo_content WHERE repo_id = $1 AND digest = ANY($2::bytea[]) AND present';

/**
 * The repository's possession of a blob as part of a larger statement; `blob` is a CTE with one row of `id` and `size`,
 * the others are parameters.
 */
export const linkIn = (repoId: string, digest: string, blob: string): string => `
  INSERT INTO repo_content (repo_id, digest, kind, blob_id, size, present)
  SELECT ${repoId}, ${digest}, 'blob', id, size, true FROM ${blob}
  ON CONFLICT (repo_id, digest, kind) DO UPDATE SET blob_id = excluded.blob_id, size = excluded.size, present = true`;

const LINK = `
INSERT INTO repo_content (repo_id, digest, kind, blob_id, size, present) VALUES ($1, $2, 'blob', $3, $4, true)
ON CONFLICT (repo_id, digest, kind) DO UPDATE SET blob_id = excluded.blob_id, size = excluded.size, present = true`;

// KEY SHARE keeps what is named from being withdrawn until the pusher commits, and lets other pushes name it too.
// The manifest's own row is written first of all: pushes and deletes of one manifest queue up there.
const HOLD = `
WITH own AS (
  INSERT INTO repo_content (repo_id, digest, kind, size, present) VALUES ($1, $2, 'manifest', $3, true)
  ON CONFLICT (repo_id, digest, kind) DO UPDATE SET size = excluded.size, present = true
)
SELECT c.digest, c.kind, c.size, c.present AND (b.id IS NULL OR b.state = 'live') AS present
FROM repo_content c LEFT JOIN blobs b ON b.id = c.blob_id
WHERE c.repo_id = $1 AND c.digest = ANY($4::bytea[])
ORDER BY c.digest, c.kind
FOR KEY SHARE OF c`;

// In digest order, so that two pushes that name the same absent content wait for each other and never in a circle.
const NAME_ABSENT = `
INSERT INTO repo_content (repo_id, digest, kind, size, present)
SELECT $1, a.digest, a.kind, a.size, false
FROM unnest($2::bytea[], $3::text[], $4::bigint[]) AS a(digest, kind, size)
ORDER BY a.digest, a.kind
ON CONFLICT (repo_id, digest, kind) DO NOTHING`;

const LOCK = `
SELECT present FROM repo_content WHERE repo_id = $1 AND digest = $2 AND kind = $3 FOR UPDATE`;

const WITHDRAW = `
UPDATE repo_content SET present = false, blob_id = NULL WHERE repo_id = $1 AND digest = $2 AND kind = $3`;

/** All statements on `repo_content`. */
@Injectable()
export class ContentRepository {
  constructor(@InjectRepository(RepoContent) private readonly content: Repository<RepoContent>) {}

  async find(repoId: number, digest: Digest): Promise<HeldBlob | null> {
    const rows: HeldBlob[] = await this.content.manager.query(FIND, [repoId, digestToBytes(digest)]);
    return rows[0] ?? null;
  }

  async present(repoId: number, digests: readonly Digest[]): Promise<Set<Digest>> {
    const rows: { digest: Buffer }[] =
      digests.length === 0 ? [] : await this.content.manager.query(PRESENT, [repoId, digests.map(digestToBytes)]);
    return new Set(rows.map(({ digest }) => digestFromBytes(digest)));
  }

  async link(tx: Transaction, repoId: number, digest: Digest, blob: Pick<HeldBlob, 'blobId' | 'size'>): Promise<void> {
    await tx.query(LINK, [repoId, digestToBytes(digest), blob.blobId, blob.size]);
  }

  /** Makes the manifest present, and gives what there is of the content that it names, locked against withdrawal. */
  async hold(
    tx: Transaction,
    repoId: number,
    manifest: { readonly digest: Digest; readonly size: number },
    named: readonly Digest[],
  ): Promise<HeldContent[]> {
    const rows = await tx.query<Omit<HeldContent, 'digest'> & { digest: Buffer }>(HOLD, [
      repoId,
      digestToBytes(manifest.digest),
      manifest.size,
      digestsToArray(named),
    ]);
    return rows.map((row) => ({ ...row, digest: digestFromBytes(row.digest) }));
  }

  /** Rows for content that is named and not there; one that came meanwhile stays as it is. */
  async nameAbsent(tx: Transaction, repoId: number, absent: readonly AbsentContent[]): Promise<void> {
    await tx.query(NAME_ABSENT, [
      repoId,
      digestsToArray(absent.map(({ digest }) => digest)),
      `{${absent.map(({ kind }) => kind).join(',')}}`,
      `{${absent.map(({ size }) => size).join(',')}}`,
    ]);
  }

  /** Waits for every push that names it itself; false when the repository does not hold it. */
  async lock(tx: Transaction, repoId: number, digest: Digest, kind: ContentKind): Promise<boolean> {
    const [row] = await tx.query<{ present: boolean }>(LOCK, [repoId, digestToBytes(digest), kind]);
    return row?.present ?? false;
  }

  async withdraw(tx: Transaction, repoId: number, digest: Digest, kind: ContentKind): Promise<void> {
    await tx.query(WITHDRAW, [repoId, digestToBytes(digest), kind]);
  }
}
