import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { digestFromBytes, digestToBytes } from '../../oci/digest-bytes.js';
import { algorithmOf, type Digest } from '../../oci/digest.js';
import type { RepositoryName } from '../../oci/repository-name.js';
import type { WriterState } from '../../storage/writer-state.js';
import type { FailureReason } from './direct-failures.js';
import type { DirectPlan } from './direct-plan.js';
import { Upload } from '../uploads/upload.entity.js';
import type { UploadKey } from '../uploads/uploads.repository.js';

/** A direct upload as a request meets it. */
export interface DirectUploadRow {
  readonly id: string;
  readonly state: 'direct' | 'verifying' | 'done' | 'failed';
  readonly epoch: number;
  /** What its client announced. */
  readonly digest: Digest;
  readonly direct: DirectPlan;
  readonly writer: WriterState | null;
  readonly reason: FailureReason | null;
  readonly expiresAt: Date;
}

export interface NewDirectUpload extends UploadKey {
  readonly credential: string;
  readonly digest: Digest;
  readonly plan: DirectPlan;
  readonly expirySeconds: number;
}

/** An upload that this node has taken on to read and judge it. */
export interface Verification extends Omit<DirectUploadRow, 'state' | 'reason' | 'expiresAt'> {
  readonly principal: string;
  readonly credential: string;
  /** `null` when it was deleted meanwhile. */
  readonly repository: { readonly id: number; readonly namespaceId: number; readonly path: RepositoryName } | null;
}

/** Whose uploads this node reads as many of as it does at once. */
export interface Busy {
  /** 0: uploads of repositories that are gone. */
  readonly namespaces: readonly number[];
  readonly principals: readonly string[];
}

type Raw<T> = Omit<T, 'digest'> & { readonly digest: Buffer };

const COLUMNS = 'u.id, u.state, u.epoch, u.digest, u.direct, u.writer, u.reason, u.expires_at AS "expiresAt"';
// A cancelled upload, and one that the sweep has claimed, do not exist for clients.
const MINE = `u.id = $1 AND u.repo_id = $2 AND u.principal = $3 AND u.expires_at > now() AND u.direct IS NOT NULL
  AND (u.state <> 'failed' OR u.reason IS NOT NULL)`;

// All of these wait for the disk: only the row names what is in the store, or will be.
const START = `
INSERT INTO uploads (id, repo_id, principal, credential, state, epoch, algorithm, digest, direct, expires_at)
VALUES ($1, $2, $3, $4, 'direct', 1, $5, $6, $7, now() + make_interval(secs => $8))
RETURNING expires_at AS "expiresAt"`;

const FIND = `SELECT ${COLUMNS} FROM uploads u WHERE ${MINE}`;

const KEEP_WRITER = `
WITH moved AS (
  UPDATE uploads u SET writer = $4 WHERE ${MINE} AND u.state = 'direct' RETURNING u.id
) SELECT id FROM moved`;

const PROLONG = `
WITH moved AS (
  UPDATE uploads u SET expires_at = now() + make_interval(secs => $4)
  WHERE ${MINE} AND u.state = 'direct' RETURNING u.*
) SELECT ${COLUMNS} FROM moved u`;

const AWAIT_VERIFICATION = `
WITH moved AS (
  UPDATE uploads u SET state = 'verifying', writer = $4, verify_after = now(),
    expires_at = now() + make_interval(secs => $5)
  WHERE ${MINE} AND u.state = 'direct' RETURNING u.id
) SELECT id FROM moved`;

// The row stays until it expires, which is after every URL that was handed out: what comes late, the sweep removes.
const FAIL = `
WITH moved AS (
  UPDATE uploads u SET state = 'failed', reason = $3, epoch = u.epoch + 1
  WHERE u.id = $1 AND u.epoch = $2 AND u.state IN ('direct', 'verifying') RETURNING u.id
) SELECT id FROM moved`;
const HAS_FAILED = `SELECT 1 FROM uploads WHERE id = $1 AND state = 'failed'`;
const CANCEL = `
WITH moved AS (
  UPDATE uploads u SET state = 'failed', epoch = u.epoch + 1
  WHERE ${MINE} AND u.state IN ('direct', 'verifying') RETURNING u.*
) SELECT ${COLUMNS} FROM moved u`;

// The lease is a time of its own and shorter than an upload's life. A new epoch voids the earlier holder's. In turn by
// namespace, and by principal within one: twenty uploads of another principal delay by one.
const TAKE = `
WITH by_principal AS (
  SELECT u.id, u.verify_after, coalesce(r.namespace_id, 0) AS namespace_id,
    row_number() OVER (PARTITION BY r.namespace_id, u.principal ORDER BY u.verify_after) AS turn
  FROM uploads u LEFT JOIN repos r ON r.id = u.repo_id
  WHERE u.state = 'verifying' AND u.verify_after <= now() AND u.expires_at > now()
    AND coalesce(r.namespace_id, 0) <> ALL($3::bigint[]) AND u.principal <> ALL($4::text[])
), in_turn AS (
  SELECT id, row_number() OVER (PARTITION BY namespace_id ORDER BY turn, verify_after) AS turn FROM by_principal
), due AS (
  SELECT u.id FROM uploads u JOIN in_turn t ON t.id = u.id
  WHERE u.state = 'verifying' AND u.verify_after <= now() AND u.expires_at > now()
  ORDER BY t.turn, u.verify_after LIMIT $1 FOR UPDATE OF u SKIP LOCKED
), taken AS (
  UPDATE uploads u SET epoch = u.epoch + 1, verify_after = now() + make_interval(secs => $2)
  FROM due d WHERE u.id = d.id RETURNING u.*
)
SELECT u.id, u.epoch, u.digest, u.direct, u.writer, u.principal, u.credential,
  CASE WHEN r.id IS NOT NULL THEN json_build_object('id', r.id, 'namespaceId', r.namespace_id, 'path', r.path) END
    AS repository
FROM taken u LEFT JOIN repos r ON r.id = u.repo_id AND r.deleted_at IS NULL`;

const COUNT_WAITING = `
SELECT count(*)::int AS count FROM (
  SELECT FROM uploads WHERE state = 'verifying' AND verify_after <= now() AND expires_at > now() LIMIT $1
) waiting`;

const RENEW = `
WITH moved AS (
  UPDATE uploads u SET verify_after = now() + make_interval(secs => $3),
    expires_at = greatest(u.expires_at, now() + make_interval(secs => $4))
  WHERE u.id = $1 AND u.epoch = $2 AND u.state = 'verifying' RETURNING u.id
) SELECT id FROM moved`;

const RELEASE = `
WITH moved AS (
  UPDATE uploads u SET verify_after = now() + make_interval(secs => $3)
  WHERE u.id = $1 AND u.epoch = $2 AND u.state = 'verifying' RETURNING u.id
) SELECT id FROM moved`;

/** Statements on uploads whose bytes go from the client to the store; the sweep and the commit have theirs. */
@Injectable()
export class DirectUploadsRepository {
  constructor(@InjectRepository(Upload) private readonly uploads: Repository<Upload>) {}

  /** When it will expire. */
  async start({ id, repoId, principal, ...rest }: NewDirectUpload): Promise<Date> {
    const { credential, digest, plan, expirySeconds } = rest;
    const values = [id, repoId, principal, credential, algorithmOf(digest), digestToBytes(digest), plan, expirySeconds];
    const [row] = await this.query<{ expiresAt: Date }>(START, values);
    if (!row) throw new Error('the database gave no row for a new upload');
    return row.expiresAt;
  }

  find(key: UploadKey): Promise<DirectUploadRow | null> {
    return this.row(FIND, key, []);
  }

  /** False when the upload has ended meanwhile. */
  async keepWriter(key: UploadKey, writer: WriterState): Promise<boolean> {
    return (await this.query(KEEP_WRITER, [...valuesOf(key), JSON.stringify(writer)])).length > 0;
  }

  /** An open upload, which does not expire before its whole life is over once more. */
  prolong(key: UploadKey, expirySeconds: number): Promise<DirectUploadRow | null> {
    return this.row(PROLONG, key, [expirySeconds]);
  }

  /** From here on some node reads the bytes; false when it is not open any more. */
  async awaitVerification(key: UploadKey, writer: WriterState | null, expirySeconds: number): Promise<boolean> {
    const values = [...valuesOf(key), writer && JSON.stringify(writer), expirySeconds];
    return (await this.query(AWAIT_VERIFICATION, values)).length > 0;
  }

  /** False when the epoch was lost. */
  async fail(id: string, epoch: number, reason: FailureReason): Promise<boolean> {
    return (await this.query(FAIL, [id, epoch, reason])).length > 0;
  }

  /** Whether it has ended without a blob, so that nothing of it is needed. */
  async hasFailed(id: string): Promise<boolean> {
    return (await this.query(HAS_FAILED, [id])).length > 0;
  }

  /** The upload as it was left, for the removal of its bytes; `null` when there was nothing to cancel. */
  cancel(key: UploadKey): Promise<DirectUploadRow | null> {
    return this.row(CANCEL, key, []);
  }

  /** Uploads that wait to be read, or whose reader has not been heard of for a lease; none of those who have enough. */
  async take(limit: number, leaseSeconds: number, { namespaces, principals }: Busy): Promise<Verification[]> {
    const values = [limit, leaseSeconds, namespaces, principals];
    const rows = await this.query<Raw<Verification>>(TAKE, values);
    return rows.map((row) => ({ ...row, digest: digestFromBytes(row.digest) }));
  }

  /** How many wait to be read, by whichever node, up to so many. */
  async countWaiting(most: number): Promise<number> {
    const [row] = await this.query<{ count: number }>(COUNT_WAITING, [most]);
    return row?.count ?? 0;
  }

  /** False when the epoch was lost. */
  async renew(id: string, epoch: number, leaseSeconds: number, expirySeconds: number): Promise<boolean> {
    return (await this.query(RENEW, [id, epoch, leaseSeconds, expirySeconds])).length > 0;
  }

  /** Gives it back: any node may take it after so many seconds. */
  async release(id: string, epoch: number, afterSeconds: number): Promise<void> {
    await this.query(RELEASE, [id, epoch, afterSeconds]);
  }

  private async row(sql: string, key: UploadKey, values: readonly unknown[]): Promise<DirectUploadRow | null> {
    const [row] = await this.query<Raw<DirectUploadRow>>(sql, [...valuesOf(key), ...values]);
    return row ? { ...row, digest: digestFromBytes(row.digest) } : null;
  }

  private query<T>(sql: string, values: unknown[]): Promise<T[]> {
    return this.uploads.manager.query(sql, values);
  }
}

function valuesOf({ id, repoId, principal }: UploadKey): unknown[] {
  return [id, repoId, principal];
}
