import { Injectable } from '@nestjs/common';
import type { Transaction } from '../database/unit-of-work.js';
import { digestToBytes } from '../oci/digest-bytes.js';
import type { Digest } from '../oci/digest.js';
import type { ObjectKey } from '../storage/object-keys.js';
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

export interface CommittedBlob {
  /** Whose bytes the digest stands for now: another upload's, if that was earlier. */
  readonly storageKey: string;
}

// One statement, so that a small blob costs one round trip here. Of two uploads of one digest the earlier one's object stays. A blob that is being deleted comes back with the new
// object: the collector may already have removed the old one, or it becomes a done upload whose object no blob names,
// which is what the sweep removes.
const COMMIT = `
WITH finished AS (
  UPDATE uploads u SET state = 'done', object_key = $7, digest = $4, head = NULL, writer = NULL, hash_state = NULL,
    -- The same PUT may come again; and the files of a split object are the row's until they are one.
    expires_at = CASE WHEN $9 THEN 'infinity' ELSE greatest(u.expires_at, now() + interval '10 minutes') END,
    compact_after = CASE WHEN $9 THEN now() END
  WHERE u.id = $1 AND u.epoch = $2 AND u.state IN ('open', 'completing', 'direct', 'verifying')
  RETURNING u.id
), before AS (
  SELECT storage_key, state FROM blobs WHERE domain = $3 AND digest = $4
), stored AS (
  INSERT INTO blobs AS b (domain, digest, size, store, storage_key)
  SELECT $3, $4, $5, $6, $7 FROM finished
  ON CONFLICT (domain, digest) DO UPDATE SET state = 'live',
    store = CASE b.state WHEN 'live' THEN b.store ELSE excluded.store END,
    storage_key = CASE b.state WHEN 'live' THEN b.storage_key ELSE excluded.storage_key END
  RETURNING b.id, b.size, b.storage_key
), left_to_sweep AS (
  INSERT INTO uploads (id, repo_id, state, epoch, object_key, principal, credential, expires_at)
  SELECT substring(before.storage_key from '/([^.]+)')::uuid, $8, 'done',
    substring(before.storage_key from '[.]([0-9]+)')::integer, before.storage_key, 'system', 'system', now()
  FROM before, stored WHERE before.state = 'deleting'
  ON CONFLICT (id) DO NOTHING
), linked AS (${linkIn('$8::bigint', '$4', 'stored')}
)
SELECT storage_key AS "storageKey" FROM stored`;

const HOLD = `SELECT id FROM blobs WHERE id = $1 AND state = 'live' FOR SHARE`;

/** Statements on `blobs`. */
@Injectable()
export class BlobsRepository {
  /** Ends the upload, makes its digest known, and its repository hold it; `null` when the upload has passed to a later epoch. */
  async commit(tx: Transaction, finished: FinishedUpload): Promise<CommittedBlob | null> {
    const { id, repoId, epoch, domain, digest, size, store, key, isSplit } = finished;
    const values = [id, epoch, domain, digestToBytes(digest), size, store, key, repoId, isSplit];
    const [blob] = await tx.query<CommittedBlob>(COMMIT, values);
    return blob ?? null;
  }

  /** Keeps a blob from the collector until the transaction ends; false when it is not there any more. */
  async hold(tx: Transaction, blobId: number): Promise<boolean> {
    return (await tx.query(HOLD, [blobId])).length > 0;
  }
}
