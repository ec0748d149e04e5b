import { Injectable } from '@nestjs/common';
import type { Transaction } from '../database/unit-of-work.js';
import { digestToBytes } from '../oci/digest-bytes.js';
import type { Digest } from '../oci/digest.js';
import type { ObjectKey } from '../storage/object-keys.js';
import type { Blob } from './blob.entity.js';

/** A finished upload: bytes that are durable in the store, and the claim under which they were written. */
export interface FinishedUpload {
  readonly id: string;
  readonly epoch: number;
  /** Within what equal bytes are stored once. */
  readonly domain: string;
  readonly digest: Digest;
  readonly size: number;
  readonly store: Blob['store'];
  readonly key: ObjectKey;
}

export interface CommittedBlob {
  readonly blobId: number;
  readonly size: number;
  /** Whose bytes the digest stands for now: another upload's, if that was earlier. */
  readonly storageKey: string;
  /** Where a blob was that the collector had begun to delete, and that this upload brought back. */
  readonly revivedFrom: string | null;
}

// Of two uploads of one digest the earlier one's object stays. A blob that is being deleted comes back with the new
// object: the collector may already have removed the old one.
const COMMIT = `
WITH finished AS (
  UPDATE uploads u SET state = 'done', object_key = $7, digest = $4, head = NULL, writer = NULL, hash_state = NULL
  WHERE u.id = $1 AND u.epoch = $2 AND u.state IN ('open', 'completing')
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
)
SELECT s.id AS "blobId", s.size, s.storage_key AS "storageKey",
  (SELECT storage_key FROM before WHERE state = 'deleting') AS "revivedFrom"
FROM stored s`;

// A done upload whose object no blob names: that is what the sweep removes. The id is in the key.
const LEAVE_TO_SWEEP = `
INSERT INTO uploads (id, repo_id, state, epoch, object_key, principal, credential, expires_at)
SELECT substring($1 from '/([^.]+)')::uuid, $2, 'done', substring($1 from '[.]([0-9]+)')::integer, $1, 'system', 'system', now()
ON CONFLICT (id) DO NOTHING`;

const HOLD = `SELECT id FROM blobs WHERE id = $1 AND state = 'live' FOR SHARE`;

/** Statements on `blobs`. */
@Injectable()
export class BlobsRepository {
  /** Ends the upload and makes its digest known; `null` when the upload has passed to a later epoch. */
  async commit(tx: Transaction, finished: FinishedUpload): Promise<CommittedBlob | null> {
    const { id, epoch, domain, digest, size, store, key } = finished;
    const values = [id, epoch, domain, digestToBytes(digest), size, store, key];
    const [blob] = await tx.query<CommittedBlob>(COMMIT, values);
    return blob ?? null;
  }

  /** The object at this key will be removed, whoever else should have done it. */
  async leaveToSweep(tx: Transaction, key: string, repoId: number): Promise<void> {
    await tx.query(LEAVE_TO_SWEEP, [key, repoId]);
  }

  /** Keeps a blob from the collector until the transaction ends; false when it is not there any more. */
  async hold(tx: Transaction, blobId: number): Promise<boolean> {
    return (await tx.query(HOLD, [blobId])).length > 0;
  }
}
