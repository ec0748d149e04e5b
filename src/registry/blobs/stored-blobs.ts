import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { digestFromBytes } from '../../oci/digest-bytes.js';
import type { Digest } from '../../oci/digest.js';
import type { ObjectKey } from '../../storage/object-keys.js';
import type { DamagedBlob } from './damage/damaged-blob.entity.js';

/** What is wrong with an object. */
export type DamageKind = DamagedBlob['kind'];

/** A blob, and the object that its row names. */
export interface BlobObject {
  readonly blobId: number;
  readonly digest: Digest;
  readonly size: number;
  readonly storageKey: ObjectKey;
  /** What is wrong with the object, where it is marked. */
  readonly damage: DamageKind | null;
}

export interface BlobTotals {
  /** The highest id; 0 where there is no blob. */
  readonly last: number;
  readonly blobs: number;
  readonly bytes: number;
}

const PAGE = `
SELECT b.id AS "blobId", b.digest, b.size, b.storage_key AS "storageKey", d.kind AS damage FROM blobs b
LEFT JOIN blob_damage d ON d.blob_id = b.id AND d.storage_key = b.storage_key AND b.state = 'damaged'
WHERE b.id > $1 AND b.id <= $2 AND b.state IN ('live', 'damaged') ORDER BY b.id LIMIT $3`;

const TOTALS = `
SELECT coalesce(max(b.id), 0) AS last, count(*) AS blobs, coalesce(sum(b.size), 0)::bigint AS bytes
FROM blobs b WHERE b.state IN ('live', 'damaged')`;

/** All blobs, for those who compare them with the store, in the order in which they came. */
@Injectable()
export class StoredBlobs {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** At most `limit` blobs after one id and up to another. */
  async page(after: number, upTo: number, limit: number): Promise<BlobObject[]> {
    const rows = await this.unitOfWork.runStatement((tx) =>
      tx.query<Omit<BlobObject, 'digest'> & { digest: Buffer }>(PAGE, [after, upTo, limit]),
    );
    return rows.map(({ digest, ...row }) => ({ ...row, digest: digestFromBytes(digest) }));
  }

  async totals(): Promise<BlobTotals> {
    const [row] = await this.unitOfWork.runStatement((tx) => tx.query<BlobTotals>(TOTALS));
    return row ?? { last: 0, blobs: 0, bytes: 0 };
  }
}
