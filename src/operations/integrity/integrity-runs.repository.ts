import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { IntegrityRun, type RunKind, type Runner, type RunState } from './integrity-run.entity.js';

export interface NewRun {
  readonly kind: RunKind;
  readonly id: string;
  readonly runner: Runner;
  readonly hash: boolean;
  readonly bytesPerSecond: number;
  readonly upTo: number;
  readonly totalBlobs: number;
  readonly totalBytes: number;
}

/** A run that the caller holds the lease of. */
export type HeldRun = Pick<
  IntegrityRun,
  'kind' | 'id' | 'epoch' | 'hash' | 'bytesPerSecond' | 'upTo' | 'totalBlobs' | 'totalBytes' | keyof Progress
>;

/** What moves while a run goes on. */
export type Progress = Pick<
  IntegrityRun,
  'position' | 'reading' | 'blobs' | 'bytes' | 'damaged' | 'healed' | 'unchecked'
>;

export type FoundRun = IntegrityRun & { readonly isFree: boolean };

type Held = Pick<IntegrityRun, 'kind' | 'id' | 'epoch'>;

/** A holder that died is followed by another after this; it renews three times as often. */
export const LEASE_SECONDS = 15;

const COLUMNS = `r.kind, r.id, r.state, r.runner, r.epoch, r.lease_until AS "leaseUntil", r.hash,
  r.bytes_per_second AS "bytesPerSecond", r.position, r.up_to AS "upTo", r.reading, r.total_blobs AS "totalBlobs",
  r.total_bytes AS "totalBytes", r.blobs, r.bytes, r.damaged, r.healed, r.unchecked, r.problem,
  r.started_at AS "startedAt", r.updated_at AS "updatedAt", r.finished_at AS "finishedAt",
  r.completed_at AS "completedAt"`;
const LEASE = `now() + make_interval(secs => ${LEASE_SECONDS})`;

const FIND = `SELECT ${COLUMNS}, r.lease_until < now() AS "isFree" FROM integrity_runs r WHERE r.kind = $1`;

/** What there is to do: runs of nodes that none holds, and a scrub whose last pass began long enough ago. */
const DUE = `
SELECT r.kind, r.state = 'running' AS "isRunning" FROM integrity_runs r
WHERE (r.state = 'running' AND r.runner = 'node' AND r.lease_until < now())
  OR (r.kind = 'scrub' AND r.state <> 'running' AND r.started_at <= now() - make_interval(secs => $1))`;

const SEED = `
INSERT INTO integrity_runs (kind, id, state, runner, hash, bytes_per_second, started_at)
VALUES ('scrub', gen_random_uuid(), 'done', 'node', true, 0, now() - make_interval(secs => $1))
ON CONFLICT (kind) DO NOTHING`;

// The conflicting row decides under its lock, so of two that begin at once one gets nothing. $9: how long the last run
// must have begun ago.
const BEGIN = `
WITH begun AS (
  INSERT INTO integrity_runs AS r
    (kind, id, state, runner, epoch, lease_until, hash, bytes_per_second, up_to, total_blobs, total_bytes)
  VALUES ($1, $2, 'running', $3, 1, ${LEASE}, $4, $5, $6, $7, $8)
  ON CONFLICT (kind) DO UPDATE SET id = excluded.id, state = 'running', runner = excluded.runner, epoch = r.epoch + 1,
    lease_until = excluded.lease_until, hash = excluded.hash, bytes_per_second = excluded.bytes_per_second,
    position = 0, up_to = excluded.up_to, reading = NULL, total_blobs = excluded.total_blobs,
    total_bytes = excluded.total_bytes, blobs = 0, bytes = 0, damaged = 0, healed = 0, unchecked = 0, problem = NULL,
    started_at = now(), updated_at = now(), finished_at = NULL
  WHERE (r.state <> 'running' OR r.lease_until < now()) AND r.started_at <= now() - make_interval(secs => $9)
  RETURNING r.*
) SELECT ${COLUMNS} FROM begun r`;

const RESUME = `
WITH taken AS (
  UPDATE integrity_runs r SET state = 'running', runner = $2, epoch = r.epoch + 1, lease_until = ${LEASE},
    bytes_per_second = $4, problem = NULL, finished_at = NULL
  WHERE r.kind = $1 AND r.hash = $3 AND r.state <> 'done' AND (r.state <> 'running' OR r.lease_until < now())
  RETURNING r.*
) SELECT ${COLUMNS} FROM taken r`;

const TAKE_OVER = `
WITH taken AS (
  UPDATE integrity_runs r SET epoch = r.epoch + 1, lease_until = ${LEASE}, problem = NULL
  WHERE r.kind = $1 AND r.state = 'running' AND r.runner = 'node' AND r.lease_until < now()
  RETURNING r.*
) SELECT ${COLUMNS} FROM taken r`;

const MINE = `r.kind = $1 AND r.id = $2 AND r.epoch = $3 AND r.state = 'running'`;

const SAVE = `
WITH saved AS (
  UPDATE integrity_runs r SET position = $4, reading = $5, blobs = $6, bytes = $7, damaged = $8, healed = $9,
    unchecked = $10, updated_at = now(), lease_until = ${LEASE}
  WHERE ${MINE} RETURNING r.kind
) SELECT kind FROM saved`;

const RELEASE = `
UPDATE integrity_runs r SET lease_until = now() + make_interval(secs => $4), problem = $5 WHERE ${MINE}`;

const FINISH = `
UPDATE integrity_runs r SET state = $4, problem = $5, lease_until = now(), finished_at = now(),
  completed_at = CASE $4 WHEN 'done' THEN now() ELSE r.completed_at END
WHERE ${MINE}`;

const CANCEL = `
WITH cancelled AS (
  UPDATE integrity_runs r SET state = 'cancelled', finished_at = now() WHERE r.kind = $1 AND r.state = 'running'
  RETURNING r.kind
) SELECT kind FROM cancelled`;

/** The rows of `integrity_runs`. */
@Injectable()
export class IntegrityRunsRepository {
  constructor(@InjectRepository(IntegrityRun) private readonly rows: Repository<IntegrityRun>) {}

  /** `isFree`: no process holds its lease. */
  async find(kind: RunKind): Promise<FoundRun | null> {
    const [row] = await this.query<FoundRun>(FIND, [kind]);
    return row ?? null;
  }

  /** What a node may begin or go on with now. */
  due(scrubPauseSeconds: number): Promise<readonly { kind: RunKind; isRunning: boolean }[]> {
    return this.query(DUE, [scrubPauseSeconds]);
  }

  /** Makes the scrub's row unless there is one, as if a pass had begun so long ago. */
  async seedScrub(secondsAgo: number): Promise<void> {
    await this.query(SEED, [secondsAgo]);
  }

  /** A run from the first blob on; `null` while another one is held, or the last one is younger than `pauseSeconds`. */
  async begin(run: NewRun, pauseSeconds: number): Promise<HeldRun | null> {
    const { kind, id, runner, hash, bytesPerSecond, upTo, totalBlobs, totalBytes } = run;
    return this.one(BEGIN, [kind, id, runner, hash, bytesPerSecond, upTo, totalBlobs, totalBytes, pauseSeconds]);
  }

  /** Goes on where the last run stopped or its holder died; `null` when it is done, held, or of the other sort. */
  async resume(kind: RunKind, runner: Runner, hash: boolean, bytesPerSecond: number): Promise<HeldRun | null> {
    return this.one(RESUME, [kind, runner, hash, bytesPerSecond]);
  }

  /** Goes on with a run of nodes that none of them holds. */
  async takeOver(kind: RunKind): Promise<HeldRun | null> {
    return this.one(TAKE_OVER, [kind]);
  }

  /** Renews the lease too. False when the run was cancelled or taken over. */
  async save(run: Held, progress: Progress): Promise<boolean> {
    const { position, reading, blobs, bytes, damaged, healed, unchecked } = progress;
    const values = [run.kind, run.id, run.epoch, position, reading, blobs, bytes, damaged, healed, unchecked];
    return (await this.query(SAVE, values)).length > 0;
  }

  /** Leaves it to others, after a pause. */
  async release({ kind, id, epoch }: Held, pauseSeconds: number, problem: string | null): Promise<void> {
    await this.query(RELEASE, [kind, id, epoch, pauseSeconds, problem]);
  }

  async finish({ kind, id, epoch }: Held, state: Exclude<RunState, 'running'>, problem: string | null): Promise<void> {
    await this.query(FINISH, [kind, id, epoch, state, problem]);
  }

  /** False when none was going on. Its holder learns it when it saves next. */
  async cancel(kind: RunKind): Promise<boolean> {
    return (await this.query(CANCEL, [kind])).length > 0;
  }

  private async one(statement: string, parameters: unknown[]): Promise<IntegrityRun | null> {
    const [row] = await this.query<IntegrityRun>(statement, parameters);
    return row ?? null;
  }

  private query<T>(statement: string, parameters: unknown[]): Promise<T[]> {
    return this.rows.manager.query<T[]>(statement, parameters);
  }
}
