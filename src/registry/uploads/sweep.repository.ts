import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { WriterState } from '../../storage/writer-state.js';
import { Upload, type UploadState } from './upload.entity.js';

/** An expired upload that this node has taken on. */
export interface ExpiredUpload {
  readonly id: string;
  readonly state: Extract<UploadState, 'done' | 'failed'>;
  readonly epoch: number;
  readonly writer: WriterState | null;
  readonly objectKey: string | null;
  /** Whether a blob's row names the object: then it stays. */
  readonly isKept: boolean;
  /** Whether its expiry is what ended it. */
  readonly wasOpen: boolean;
  readonly isDirect: boolean;
}

// Taking an upload on voids its last writer's epoch. Nothing stays locked while the store works: the new expiry is
// what keeps other nodes away, and what brings the upload back if this one dies.
const TAKE = `
WITH expired AS (
  SELECT id, state FROM uploads WHERE expires_at < now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
), taken AS (
  UPDATE uploads u SET epoch = u.epoch + 1, state = CASE u.state WHEN 'done' THEN u.state ELSE 'failed' END,
    expires_at = now() + make_interval(secs => $2)
  FROM expired e WHERE u.id = e.id
  RETURNING u.id, u.state, u.epoch, u.writer, u.object_key, u.direct IS NOT NULL AS is_direct,
    e.state NOT IN ('done', 'failed') AS was_open
)
SELECT t.id, t.state, t.epoch, t.writer, t.object_key AS "objectKey", t.is_direct AS "isDirect",
  t.was_open AS "wasOpen",
  EXISTS (SELECT FROM blobs b WHERE b.storage_key = t.object_key) AS "isKept"
FROM taken t`;

const REMOVE = `
WITH gone AS (
  DELETE FROM uploads u USING unnest($1::uuid[], $2::integer[]) AS g(id, epoch)
  WHERE u.id = g.id AND u.epoch = g.epoch RETURNING u.id
) SELECT id FROM gone`;

@Injectable()
export class SweepRepository {
  constructor(@InjectRepository(Upload) private readonly uploads: Repository<Upload>) {}

  /** Expired uploads that no other node has taken on; this one has `leaseSeconds` for them. */
  take(limit: number, leaseSeconds: number): Promise<ExpiredUpload[]> {
    return this.uploads.manager.query(TAKE, [limit, leaseSeconds]);
  }

  async remove(uploads: readonly ExpiredUpload[]): Promise<void> {
    await this.uploads.manager.query(REMOVE, [uploads.map(({ id }) => id), uploads.map(({ epoch }) => epoch)]);
  }
}
