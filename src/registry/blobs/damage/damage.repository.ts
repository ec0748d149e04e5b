import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Transaction } from '../../../database/unit-of-work.js';
import { digestFromBytes } from '../../../oci/digest-bytes.js';
import type { Digest } from '../../../oci/digest.js';
import type { RepositoryName } from '../../../oci/repository-name.js';
import { DamagedBlob, type DamageFinder, type DamageKind } from './damaged-blob.entity.js';

/** The object that a blob's row named when it was checked. */
export interface StoredBlob {
  readonly blobId: number;
  readonly storageKey: string;
}

export interface Damage {
  readonly kind: DamageKind;
  readonly foundBy: DamageFinder;
  /** Bytes that the object has; `null` when it is missing. */
  readonly foundSize: number | null;
}

export interface BlobState {
  readonly digest: Digest;
  readonly size: number;
  readonly state: 'live' | 'deleting' | 'damaged';
}

/** A repository that holds a blob, and tags in it that lead to the blob. */
export interface BlobHolder {
  readonly path: RepositoryName;
  readonly tags: readonly string[];
}

export interface ListedDamage extends StoredBlob, Damage {
  readonly digest: Digest;
  /** Bytes that were stored. */
  readonly size: number;
  readonly foundAt: Date;
  /** The first `HOLDERS_SHOWN`, each with at most `TAGS_SHOWN` tags. */
  readonly repositories: readonly BlobHolder[];
  /** All of them, up to `HOLDERS_COUNTED`. */
  readonly repositoryCount: number;
}

export const HOLDERS_SHOWN = 50;
export const HOLDERS_COUNTED = 10_000;
export const TAGS_SHOWN = 20;
/** Manifests of a repository that are looked at for tags. */
export const PARENTS_SEEN = 10_000;

const LOCK = 'SELECT digest, size, state FROM blobs WHERE id = $1 AND storage_key = $2 FOR NO KEY UPDATE';
const SET_STATE = `
WITH moved AS (UPDATE blobs SET state = $2 WHERE id = $1 RETURNING id) SELECT id FROM moved`;
const WRITE = `
INSERT INTO blob_damage (blob_id, storage_key, kind, found_by, found_size) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (blob_id) DO UPDATE SET storage_key = excluded.storage_key, kind = excluded.kind,
  found_by = excluded.found_by, found_size = excluded.found_size, found_at = excluded.found_at`;
// A size that is right again says nothing of bytes that were read and are wrong.
const MARK_BYTES = `
UPDATE blob_damage SET kind = 'bytes', found_size = $3 WHERE blob_id = $1 AND storage_key = $2`;
const REMOVE = `
WITH gone AS (DELETE FROM blob_damage WHERE blob_id = $1 RETURNING blob_id) SELECT blob_id FROM gone`;
const REMOVE_KIND = `
WITH gone AS (DELETE FROM blob_damage WHERE blob_id = $1 AND kind = $2 RETURNING blob_id) SELECT blob_id FROM gone`;

const HOLDERS = `
SELECT repo_id AS "repoId" FROM repo_content WHERE blob_id = $1`;
const PATHS = `
SELECT r.path FROM repo_content c JOIN repos r ON r.id = c.repo_id
WHERE c.blob_id = $1 AND r.deleted_at IS NULL LIMIT $2`;

const CURRENT = `blob_damage d JOIN blobs b ON b.id = d.blob_id AND b.state = 'damaged' AND b.storage_key = d.storage_key`;
// Tags that lead to the blob through any depth of indexes; each part ends when it has enough. OFFSET 0 keeps each step a
// walk along an index, and the rows of the recursion are made as they are asked for.
const LIST = `
SELECT d.blob_id AS "blobId", d.storage_key AS "storageKey", b.digest, b.size, d.kind, d.found_by AS "foundBy",
  d.found_at AS "foundAt", d.found_size AS "foundSize", counted.count AS "repositoryCount",
  coalesce(shown.repositories, '[]') AS repositories
FROM ${CURRENT}
CROSS JOIN LATERAL (
  SELECT count(*)::integer AS count FROM (
    SELECT FROM repo_content c JOIN repos r ON r.id = c.repo_id
    WHERE c.blob_id = b.id AND r.deleted_at IS NULL LIMIT ${HOLDERS_COUNTED}
  ) AS held
) AS counted
CROSS JOIN LATERAL (
  SELECT json_agg(json_build_object('path', h.path, 'tags', ARRAY(
    WITH RECURSIVE needing AS (
      SELECT m.parent FROM manifest_refs m
      WHERE m.repo_id = h.id AND m.child = b.digest AND m.child_kind = 'blob'
      UNION
      SELECT above.parent FROM needing n CROSS JOIN LATERAL (
        SELECT m.parent FROM manifest_refs m
        WHERE m.repo_id = h.id AND m.child = n.parent AND m.child_kind = 'manifest' OFFSET 0
      ) above
    )
    SELECT named.name FROM (SELECT parent FROM needing LIMIT ${PARENTS_SEEN}) n CROSS JOIN LATERAL (
      SELECT t.name FROM tags t WHERE t.repo_id = h.id AND t.digest = n.parent OFFSET 0
    ) named
    LIMIT ${TAGS_SHOWN}
  ))) AS repositories
  FROM (
    SELECT r.id, r.path FROM repo_content c JOIN repos r ON r.id = c.repo_id
    WHERE c.blob_id = b.id AND r.deleted_at IS NULL LIMIT ${HOLDERS_SHOWN}
  ) AS h
) AS shown
WHERE d.blob_id > $1 ORDER BY d.blob_id LIMIT $2`;

type Raw<T> = Omit<T, 'digest'> & { readonly digest: Buffer };

/** All statements on `blob_damage`, and those on `blobs` that belong to it. */
@Injectable()
export class DamageRepository {
  constructor(@InjectRepository(DamagedBlob) private readonly rows: Repository<DamagedBlob>) {}

  /** The blob under the transaction's lock; `null` when its row names another object by now. */
  async lock(tx: Transaction, { blobId, storageKey }: StoredBlob): Promise<BlobState | null> {
    const [row] = await tx.query<Raw<BlobState>>(LOCK, [blobId, storageKey]);
    return row ? { ...row, digest: digestFromBytes(row.digest) } : null;
  }

  async mark(tx: Transaction, { blobId, storageKey }: StoredBlob, damage: Damage): Promise<void> {
    await tx.query(SET_STATE, [blobId, 'damaged']);
    await tx.query(WRITE, [blobId, storageKey, damage.kind, damage.foundBy, damage.foundSize]);
  }

  /** The bytes of a marked blob were read, and are wrong whatever its size was. */
  async markBytes(tx: Transaction, { blobId, storageKey }: StoredBlob, foundSize: number): Promise<void> {
    await tx.query(MARK_BYTES, [blobId, storageKey, foundSize]);
  }

  /** False when something else is wrong by now. */
  async clear(tx: Transaction, blobId: number, kind: DamageKind): Promise<boolean> {
    if ((await tx.query(REMOVE_KIND, [blobId, kind])).length === 0) return false;
    await tx.query(SET_STATE, [blobId, 'live']);
    return true;
  }

  /** Only what was written of it, not the blob's state. False when there was nothing. */
  async remove(tx: Transaction, blobId: number): Promise<boolean> {
    return (await tx.query(REMOVE, [blobId])).length > 0;
  }

  /** All repositories that hold the blob, deleted ones too: one walk along the index, which pages of it would repeat. */
  async holders(tx: Transaction, blobId: number): Promise<number[]> {
    return (await tx.query<{ repoId: number }>(HOLDERS, [blobId])).map(({ repoId }) => repoId);
  }

  /** Some repositories that hold the blob. */
  async paths(blobId: number, limit: number): Promise<RepositoryName[]> {
    const rows = await this.rows.manager.query<{ path: RepositoryName }[]>(PATHS, [blobId, limit]);
    return rows.map(({ path }) => path);
  }

  /** Marked blobs in the order of their ids. */
  async list(after: number, limit: number): Promise<ListedDamage[]> {
    const rows = await this.rows.manager.query<Raw<ListedDamage>[]>(LIST, [after, limit]);
    return rows.map((row) => ({
      ...row,
      digest: digestFromBytes(row.digest),
      repositories: row.repositories.map(({ path, tags }) => ({ path, tags: [...tags].sort() })),
    }));
  }
}
