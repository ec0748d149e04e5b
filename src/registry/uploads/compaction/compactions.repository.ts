import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Upload } from '../upload.entity.js';

/** A done upload whose object is in several files, and which this node has taken on. */
export interface PendingCompaction {
  readonly id: string;
  readonly epoch: number;
  readonly objectKey: string;
  /** The blob whose row names the object; without one it is for the sweep to remove. */
  readonly blob: { readonly blobId: number; readonly size: number } | null;
}

// A new epoch voids the earlier holder's, and gives this one object names of its own.
const TAKE = `
WITH due AS (
  SELECT id FROM uploads WHERE compact_after <= now() ORDER BY compact_after LIMIT 1 FOR UPDATE SKIP LOCKED
), taken AS (
  UPDATE uploads u SET epoch = u.epoch + 1, compact_after = now() + make_interval(secs => $1)
  FROM due d WHERE u.id = d.id RETURNING u.id, u.epoch, u.object_key
)
SELECT t.id, t.epoch, t.object_key AS "objectKey",
  (SELECT json_build_object('blobId', b.id, 'size', b.size) FROM blobs b WHERE b.storage_key = t.object_key LIMIT 1) AS blob
FROM taken t`;

const MOVE = `
WITH moved AS (
  UPDATE uploads u SET compact_after = now() + make_interval(secs => $3)
  WHERE u.id = $1 AND u.epoch = $2 AND u.compact_after IS NOT NULL RETURNING u.id
) SELECT id FROM moved`;

// From here on the row is one like those of other done uploads.
const FINISH = `
WITH moved AS (
  UPDATE uploads u SET compact_after = NULL, expires_at = now() + make_interval(secs => $3)
  WHERE u.id = $1 AND u.epoch = $2 AND u.compact_after IS NOT NULL RETURNING u.id
) SELECT id FROM moved`;

@Injectable()
export class CompactionsRepository {
  constructor(@InjectRepository(Upload) private readonly uploads: Repository<Upload>) {}

  /** One that waits, or whose node has not been heard of for a lease. */
  async take(leaseSeconds: number): Promise<PendingCompaction | null> {
    const [pending] = await this.query<PendingCompaction>(TAKE, [leaseSeconds]);
    return pending ?? null;
  }

  /** Keeps it for so long, or gives it back until then; false when the epoch was lost. */
  async move(id: string, epoch: number, seconds: number): Promise<boolean> {
    return (await this.query(MOVE, [id, epoch, seconds])).length > 0;
  }

  async finish(id: string, epoch: number, expirySeconds: number): Promise<void> {
    await this.query(FINISH, [id, epoch, expirySeconds]);
  }

  private query<T>(sql: string, values: unknown[]): Promise<T[]> {
    return this.uploads.manager.query(sql, values);
  }
}
