import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { digestFromBytes, digestToBytes } from '../../oci/digest-bytes.js';
import type { Algorithm, Digest } from '../../oci/digest.js';
import type { WriterState } from '../../storage/writer-state.js';
import { Upload, type UploadState } from './upload.entity.js';
import { type FirstEpoch, INLINE_STEP } from './upload-epochs.js';

/** Which upload, and for whom: a foreign one and another repository's are as unknown as one that never was. */
export interface UploadKey {
  readonly id: string;
  readonly repoId: number;
  readonly principal: string;
}

/** How far the hash of the received bytes is; nothing of it means that they have to be read again. */
export interface UploadHash {
  readonly algorithm: Algorithm;
  readonly hashLibrary: string | null;
  readonly hashState: Buffer | null;
  readonly digest: Digest | null;
}

/** An upload as a request meets it. */
export interface UploadRow extends UploadHash {
  readonly id: string;
  readonly state: UploadState;
  readonly epoch: number;
  readonly received: number;
  readonly writer: WriterState | null;
  readonly inline: Buffer | null;
}

export interface NewUpload extends UploadKey {
  readonly epoch: FirstEpoch;
  readonly algorithm: Algorithm;
  readonly credential: string;
  readonly expirySeconds: number;
  /** Whether to wait for the disk: large objects are about to be written that only the row names. */
  readonly durably: boolean;
}

/** What a request has added under the epoch that it claimed. */
export interface UploadProgress extends UploadHash {
  readonly state: 'open' | 'completing';
  readonly received: number;
  readonly writer: WriterState | null;
  /** The digest of the closing request whose bytes are all in now; `null` for every other request. */
  readonly closing: Digest | null;
  readonly expirySeconds: number;
}

/** What a closing request asks for. */
export interface ClosingClaim {
  readonly digest: Digest;
  readonly offset: number | null;
  /** All of its body is in memory: other closing requests wait for it from here on. A body still to come delays none. */
  readonly isWhole: boolean;
  /** How long the upload lives from here, if it had no byte. */
  readonly expirySeconds: number;
}

/** An upload as closing requests see it that wait for one another. */
export interface ClosingState {
  readonly state: UploadState;
  readonly received: number;
  readonly digest: Digest | null;
  /** Of the closing request that had brought all bytes, if one has. */
  readonly closing: Digest | null;
  /** Whether a closing request is at work; one whose node died is not, after the lease. */
  readonly isClosing: boolean;
}

/** How long others wait for a closing request that is not heard of; it says three times as often that it is at work. */
export const CLOSING_LEASE_SECONDS = 10;

const COLUMNS = `u.id, u.state, u.epoch, u.received, u.writer, u.head AS inline, u.algorithm,
  u.hash_library AS "hashLibrary", u.hash_state AS "hashState", u.digest`;
const MINE = 'u.id = $1 AND u.repo_id = $2 AND u.principal = $3 AND u.expires_at > now()';
/** The epoch that the request claimed is still the last one. */
const HELD = `u.id = $1 AND u.epoch = $2 AND u.state IN ('open', 'completing')`;

// Rows that only carry an upload along need not wait for the disk: what a crash takes back, the client finds missing.
// The setting holds for the statement's own transaction; a CTE that is not read would not run.
const LAZY = `lazy AS (SELECT set_config('synchronous_commit', 'off', true))`;

const START = `
INSERT INTO uploads (id, repo_id, principal, epoch, algorithm, credential, expires_at)
SELECT $1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7)`;
const START_LAZILY = `WITH ${LAZY} ${START} FROM lazy`;
// Drafts, which exist in this process only: an existing row was written by a statement whose answer was lost.
const START_DRAFTS = `
WITH ${LAZY}
INSERT INTO uploads (id, repo_id, principal, epoch, algorithm, credential, expires_at)
SELECT d.id, d.repo_id, d.principal, d.epoch, d.algorithm, d.credential, now() + make_interval(secs => d.seconds)
FROM lazy, unnest($1::uuid[], $2::bigint[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::integer[])
  AS d(id, repo_id, principal, epoch, algorithm, credential, seconds)
ON CONFLICT (id) DO NOTHING`;

const FIND = `SELECT ${COLUMNS} FROM uploads u WHERE ${MINE}`;

// Claims and records in one statement, since all bytes are at hand, and only while the row holds every byte itself.
// The expiry moves in steps: a chunk that changes no index is cheaper.
const APPEND_INLINE = `
WITH ${LAZY}, moved AS (
  UPDATE uploads u SET epoch = u.epoch + ${INLINE_STEP}, received = u.received + octet_length($4::bytea),
    head = coalesce(u.head, '') || $4::bytea,
    expires_at = CASE WHEN u.expires_at < now() + make_interval(secs => $7::double precision * 0.9)
      THEN now() + make_interval(secs => $7) ELSE u.expires_at END
  FROM lazy
  WHERE ${MINE} AND u.state = 'open' AND u.received = coalesce(octet_length(u.head), 0)
    AND ($5::bigint IS NULL OR u.received = $5) AND u.received + octet_length($4::bytea) <= $6
  RETURNING u.received, u.epoch
) SELECT received, epoch FROM moved`;

// A body that streams may be on its way for longer than an upload without a byte lives.
const alive = (seconds: string): string => `, expires_at = CASE WHEN u.received = 0
      THEN greatest(u.expires_at, now() + make_interval(secs => ${seconds})) ELSE u.expires_at END`;

const CLAIM = `
  UPDATE uploads u SET epoch = u.epoch + 1${alive('$5')}
  FROM lazy WHERE ${MINE} AND u.state = 'open' AND ($4::bigint IS NULL OR u.received = $4) RETURNING u.*`;
// Durable where objects will be written that only the row's epoch names.
const CLAIM_DURABLY = `WITH lazy AS (SELECT), moved AS (${CLAIM}) SELECT ${COLUMNS} FROM moved u`;
const CLAIM_LAZILY = `WITH ${LAZY}, moved AS (${CLAIM}) SELECT ${COLUMNS} FROM moved u`;

// No closing request takes an upload from another one that is at work: equal ones would overtake each other, and each
// would write the blob again. Bytes that an equal one has brought already are not appended twice.
const UNCLOSED = '(u.closing_until IS NULL OR u.closing_until <= now())';
const claimToClose = (more: string): string => `
  UPDATE uploads u SET epoch = u.epoch + 1, closing_until = now() + make_interval(secs => $6)${more}
  FROM lazy WHERE ${MINE} AND u.state = 'open' AND ($4::bigint IS NULL OR u.received = $4) AND ${UNCLOSED}
    AND (u.closing IS NULL OR u.closing <> $5) RETURNING u.*`;
const CLAIM_TO_CLOSE_DURABLY = `WITH lazy AS (SELECT), moved AS (${claimToClose(alive('$7'))}) SELECT ${COLUMNS} FROM moved u`;
const CLAIM_TO_CLOSE_LAZILY = `WITH ${LAZY}, moved AS (${claimToClose('')}) SELECT ${COLUMNS} FROM moved u`;

// A closing request that was cut off is repeated: only the same digest may take it over.
const TAKE_OVER = `
WITH moved AS (
  UPDATE uploads u SET epoch = u.epoch + 1, closing_until = now() + make_interval(secs => $5)
  WHERE ${MINE} AND ${UNCLOSED}
    AND (u.state = 'completing' AND u.digest = $4 OR u.state = 'open' AND u.closing = $4) RETURNING u.*
) SELECT ${COLUMNS} FROM moved u`;

const FIND_CLOSING = `
SELECT u.state, u.received, u.digest, u.closing, u.closing_until IS NOT NULL AND u.closing_until > now() AS "isClosing"
FROM uploads u WHERE ${MINE}`;

const STAY_CLOSING = `
WITH ${LAZY}, moved AS (
  UPDATE uploads u SET closing_until = now() + make_interval(secs => $3) FROM lazy WHERE ${HELD} RETURNING u.id
) SELECT id FROM moved`;

const PERSIST = `
WITH moved AS (UPDATE uploads u SET writer = $3 WHERE ${HELD} RETURNING u.id) SELECT id FROM moved`;

const PROLONG = `
WITH ${LAZY}, moved AS (
  UPDATE uploads u SET expires_at = now() + make_interval(secs => $3) FROM lazy WHERE ${HELD} RETURNING u.id
) SELECT id FROM moved`;

const SHORTEN = `
WITH ${LAZY}, moved AS (
  UPDATE uploads u SET expires_at = least(u.expires_at, now() + make_interval(secs => $3))
  FROM lazy WHERE ${HELD} AND u.state = 'open' AND u.received = 0 RETURNING u.id
) SELECT id FROM moved`;

const RECORD = `
WITH moved AS (
  UPDATE uploads u SET state = $3, received = $4, writer = $5, head = NULL, algorithm = $6, hash_library = $7,
    hash_state = $8, digest = $9, expires_at = now() + make_interval(secs => $10),
    closing = $11, closing_until = now() + make_interval(secs => $12)
  WHERE ${HELD} RETURNING u.id
) SELECT id FROM moved`;

// From here on every writer's epoch is void, so what they leave can be removed; by the sweep, if not at once.
const TERMINATE = `
WITH moved AS (
  UPDATE uploads u SET state = 'failed', epoch = u.epoch + 1, expires_at = now() + interval '5 minutes'
  WHERE u.id = $1 AND u.state IN ('open', 'completing') AND ($2::integer IS NULL OR u.epoch = $2)
    AND ($3 OR ${UNCLOSED})
  RETURNING u.*
) SELECT ${COLUMNS} FROM moved u`;

const REMOVE = `
WITH gone AS (DELETE FROM uploads u WHERE u.id = $1 AND u.epoch = $2 RETURNING u.id) SELECT id FROM gone`;

/** Statements of the requests on one upload; the sweep and the commit have theirs. */
@Injectable()
export class UploadsRepository {
  constructor(@InjectRepository(Upload) private readonly uploads: Repository<Upload>) {}

  async start(upload: NewUpload): Promise<void> {
    const { id, repoId, principal, epoch, algorithm, credential, expirySeconds, durably } = upload;
    const values = [id, repoId, principal, epoch, algorithm, credential, expirySeconds];
    await this.query(durably ? START : START_LAZILY, values);
  }

  async startDrafts(drafts: readonly NewUpload[]): Promise<void> {
    await this.query(START_DRAFTS, [
      drafts.map(({ id }) => id),
      drafts.map(({ repoId }) => repoId),
      drafts.map(({ principal }) => principal),
      drafts.map(({ epoch }) => epoch),
      drafts.map(({ algorithm }) => algorithm),
      drafts.map(({ credential }) => credential),
      drafts.map(({ expirySeconds }) => expirySeconds),
    ]);
  }

  async find({ id, repoId, principal }: UploadKey): Promise<UploadRow | null> {
    return this.row(FIND, [id, repoId, principal]);
  }

  /** How far the upload is now; `null` when the row cannot take the bytes: ask `find` why. */
  async appendInline(
    { id, repoId, principal }: UploadKey,
    bytes: Buffer,
    { offset, limit, expirySeconds }: { offset: number | null; limit: number; expirySeconds: number },
  ): Promise<{ received: number; epoch: number } | null> {
    const values = [id, repoId, principal, bytes, offset, limit, expirySeconds];
    const [moved] = await this.query<{ received: number; epoch: number }>(APPEND_INLINE, values);
    return moved ?? null;
  }

  /** Makes the caller the only writer, from the offset that it saw; earlier epochs are void from here. */
  claim(
    { id, repoId, principal }: UploadKey,
    { offset, durably, expirySeconds }: Pick<ClosingClaim, 'offset' | 'expirySeconds'> & { readonly durably: boolean },
  ): Promise<UploadRow | null> {
    return this.row(durably ? CLAIM_DURABLY : CLAIM_LAZILY, [id, repoId, principal, offset, expirySeconds]);
  }

  /** The same for a closing request; `null` also while another one is at work, or has brought the bytes of this one. */
  claimToClose({ id, repoId, principal }: UploadKey, claim: ClosingClaim): Promise<UploadRow | null> {
    const { digest, offset, isWhole, expirySeconds } = claim;
    const lease = isWhole ? CLOSING_LEASE_SECONDS : null;
    const values = [id, repoId, principal, offset, digestToBytes(digest), lease];
    return isWhole
      ? this.row(CLAIM_TO_CLOSE_LAZILY, values)
      : this.row(CLAIM_TO_CLOSE_DURABLY, [...values, expirySeconds]);
  }

  /** Goes on for an equal closing request that had brought all bytes and is not at work any more. */
  takeOver({ id, repoId, principal }: UploadKey, digest: Digest): Promise<UploadRow | null> {
    return this.row(TAKE_OVER, [id, repoId, principal, digestToBytes(digest), CLOSING_LEASE_SECONDS]);
  }

  async findClosing({ id, repoId, principal }: UploadKey): Promise<ClosingState | null> {
    type Raw = Omit<ClosingState, 'digest' | 'closing'> & { digest: Buffer | null; closing: Buffer | null };
    const [row] = await this.query<Raw>(FIND_CLOSING, [id, repoId, principal]);
    if (!row) return null;
    return {
      ...row,
      digest: row.digest && digestFromBytes(row.digest),
      closing: row.closing && digestFromBytes(row.closing),
    };
  }

  /** Says that the closing request is at work, or, with 0, that it is not any more; nothing when the epoch was lost. */
  async stayClosing(id: string, epoch: number, seconds: number = CLOSING_LEASE_SECONDS): Promise<void> {
    await this.query(STAY_CLOSING, [id, epoch, seconds]);
  }

  /** Keeps what the store's writer needs, in the middle of a body; false when the epoch was lost. */
  async persist(id: string, epoch: number, writer: WriterState): Promise<boolean> {
    return (await this.query(PERSIST, [id, epoch, JSON.stringify(writer)])).length > 0;
  }

  /** The upload does not expire before its whole life is over once more; nothing when the epoch was lost. */
  async prolong(id: string, epoch: number, expirySeconds: number): Promise<void> {
    await this.query(PROLONG, [id, epoch, expirySeconds]);
  }

  /** The upload expires sooner as long as it has no byte; nothing when the epoch was lost. */
  async shorten(id: string, epoch: number, expirySeconds: number): Promise<void> {
    await this.query(SHORTEN, [id, epoch, expirySeconds]);
  }

  /** The bytes count from here on; false when the epoch was lost. */
  async record(id: string, epoch: number, progress: UploadProgress): Promise<boolean> {
    const { state, received, writer, algorithm, hashLibrary, hashState, digest, closing, expirySeconds } = progress;
    const rows = await this.query(RECORD, [
      id,
      epoch,
      state,
      received,
      writer && JSON.stringify(writer),
      algorithm,
      hashLibrary,
      hashState,
      digest && digestToBytes(digest),
      expirySeconds,
      closing && digestToBytes(closing),
      closing && CLOSING_LEASE_SECONDS,
    ]);
    return rows.length > 0;
  }

  /**
   * Ends the upload, at this epoch only or at any, also while it is being closed or only when it is not; `null`
   * when there was nothing to end.
   */
  terminate(id: string, epoch: number | null, evenClosing: boolean): Promise<UploadRow | null> {
    return this.row(TERMINATE, [id, epoch, evenClosing]);
  }

  async remove(id: string, epoch: number): Promise<void> {
    await this.query(REMOVE, [id, epoch]);
  }

  private async row(sql: string, values: unknown[]): Promise<UploadRow | null> {
    const [row] = await this.query<Omit<UploadRow, 'digest'> & { digest: Buffer | null }>(sql, values);
    return row ? { ...row, digest: row.digest && digestFromBytes(row.digest) } : null;
  }

  private query<T>(sql: string, values: unknown[]): Promise<T[]> {
    return this.uploads.manager.query(sql, values);
  }
}
