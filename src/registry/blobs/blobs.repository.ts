import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../database/unit-of-work.js';
import { digestToBytes } from '../../oci/digest-bytes.js';
import type { Digest } from '../../oci/digest.js';
import type { ObjectKey } from '../../storage/object-keys.js';
import type { Blob } from './blob.entity.js';
import { linkIn } from './content.repository.js';

/** A finished upload: bytes that are durable in the store, and the claim under which they were written. */
export interface FinishedUpload {
  readonly id: string;
  readonly repoId: number;
  readonly epoch: number;
  /** Within what equal bytes are stored once. */
  readonly domain: string;
  readonly digest: Digest;
  readonly size: number;
  readonly store: Blob['store'];
  readonly key: ObjectKey;
  /** Whether the object is in several files, to be joined later. */
  readonly isSplit: boolean;
}

/** What the statement found or made of the digest. */
export interface CommittedBlob {
  /** False when the digest has a blob whose object the caller has not judged yet: then nothing has changed. */
  readonly isDone: boolean;
  /** Whether the repository is not there any more: then nothing has changed, and nothing else here means anything. */
  readonly isHomeless: boolean;
  readonly blobId: number;
  readonly size: number;
  readonly state: Blob['state'];
  /** Whose bytes the digest stands for now: another upload's, if that was earlier. */
  readonly storageKey: string;
  /** Whether a blob that was there has this upload's object now. */
  readonly isReplaced: boolean;
}

// One statement, so that a small blob costs one round trip here. Of two uploads of one digest the earlier one's object
// stays: $9 is that object, once the caller has seen that it is there. A blob that is damaged or being deleted comes back
// with the new object. Of one that was being deleted the collector may already have removed the old object, or it becomes
// a done upload whose object no blob names, which is what the sweep removes. A damaged one is left to the reconcile.
const COMMIT = `
WITH home AS (
  SELECT id FROM repos WHERE id = $8 AND deleted_at IS NULL
), before AS (
  SELECT id, size, storage_key, state FROM blobs WHERE domain = $3 AND digest = $4
), finished AS (
  UPDATE uploads u SET state = 'done', object_key = $7, digest = $4, head = NULL, writer = NULL, hash_state = NULL,
    -- The same PUT may come again; and the files of a split object are the row's until they are one.
    expires_at = CASE WHEN $10 THEN 'infinity' ELSE greatest(u.expires_at, now() + interval '10 minutes') END,
    compact_after = CASE WHEN $10 THEN now() END
  WHERE u.id = $1 AND u.epoch = $2 AND u.state IN ('open', 'completing', 'direct', 'verifying')
    AND NOT EXISTS (SELECT FROM before WHERE storage_key IS DISTINCT FROM $9::text) AND EXISTS (SELECT FROM home)
  RETURNING u.id
), stored AS (
  INSERT INTO blobs AS b (domain, digest, size, store, storage_key)
  SELECT $3, $4, $5, $6, $7 FROM finished
  ON CONFLICT (domain, digest) DO UPDATE SET state = 'live',
    store = CASE b.state WHEN 'live' THEN b.store ELSE excluded.store END,
    storage_key = CASE b.state WHEN 'live' THEN b.storage_key ELSE excluded.storage_key END
  RETURNING b.id, b.size, b.state, b.storage_key, b.created_at <> now() AND b.storage_key = $7 AS is_replaced
), left_to_sweep AS (
  INSERT INTO uploads (id, repo_id, state, epoch, object_key, principal, credential, expires_at)
  SELECT substring(before.storage_key from '/([^.]+)')::uuid, $8, 'done',
    substring(before.storage_key from '[.]([0-9]+)')::integer, before.storage_key, 'system', 'system', now()
  FROM before, stored WHERE before.state = 'deleting'
  ON CONFLICT (id) DO NOTHING
), linked AS (${linkIn('$8::bigint', '$4', 'stored')}
)
SELECT true AS "isDone", false AS "isHomeless", id AS "blobId", size, state, storage_key AS "storageKey",
  is_replaced AS "isReplaced"
FROM stored
UNION ALL
SELECT false, false, id, size, state, storage_key, false FROM before
WHERE storage_key IS DISTINCT FROM $9::text AND NOT EXISTS (SELECT FROM stored) AND EXISTS (SELECT FROM home)
UNION ALL
SELECT false, true, 0, 0, 'live', '', false WHERE NOT EXISTS (SELECT FROM home)`;

const HOLD = `SELECT id FROM blobs WHERE id = $1 AND state = 'live' FOR SHARE`;

/** Statements on `blobs`. */
@Injectable()
export class BlobsRepository {
  /**
   * Ends the upload, makes its digest known, and its repository hold it; `null` when the upload has passed to a later
   * epoch. A blob that is there already must be the one of `judged`.
   */
  async commit(tx: Transaction, finished: FinishedUpload, judged: string | null): Promise<CommittedBlob | null> {
    const { id, repoId, epoch, domain, digest, size, store, key, isSplit } = finished;
    const values = [id, epoch, domain, digestToBytes(digest), size, store, key, repoId, judged, isSplit];
    const [blob] = await tx.query<CommittedBlob>(COMMIT, values);
    return blob ?? null;
  }

  /** Keeps a blob from the collector until the transaction ends; false when it is not there any more. */
  async hold(tx: Transaction, blobId: number): Promise<boolean> {
    return (await tx.query(HOLD, [blobId])).length > 0;
  }
}
