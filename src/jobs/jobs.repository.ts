import { Injectable } from '@nestjs/common';
import { type Transaction, UnitOfWork } from '../database/unit-of-work.js';
import { type JobState, STATES, type StoredJob } from './stored-job.js';

const COLUMNS = `j.id, j.name, j.state::text AS stored, j.data AS payload, j.retry_count AS retries,
  j.retry_limit AS "retryLimit", j.created_on AS "createdAt", j.start_after AS "dueAt", j.started_on AS "startedAt",
  j.completed_on AS "endedAt", j.output, floor(extract(epoch FROM j.created_on) * 1000000)::int8 AS micros`;

/** Without what pg-boss does for itself. */
const QUEUES = String.raw`(SELECT * FROM queue WHERE name NOT LIKE '\_\_pgboss%') q`;

// A queue at a time, newest first, by the index (name, created_on). $1 kind, $2 states, $3 and $4 the position, $5 limit.
const LIST = `
SELECT ${COLUMNS} FROM ${QUEUES} CROSS JOIN LATERAL (
  SELECT * FROM job WHERE job.name = q.name AND ($1::text IS NULL OR job.name = $1)
    AND ($2::text[] IS NULL OR job.state::text = ANY ($2))
    AND ($3::int8 IS NULL OR (job.created_on, job.id) < ('epoch'::timestamptz + $3 * interval '1 microsecond', $4::uuid))
  ORDER BY job.created_on DESC, job.id DESC LIMIT $5
) j
ORDER BY j.created_on DESC, j.id DESC LIMIT $5`;

const FIND = `SELECT ${COLUMNS} FROM ${QUEUES} JOIN job j ON j.name = q.name AND j.id = $1`;

const WAITING = `SELECT queued_count AS waiting FROM queue WHERE name = $1`;

const MINE = `name = $1 AND id = $2 AND retry_count = $3`;

// What a handler tells is kept where its error would be: an attempt has the one or the other.
const PROGRESS = `
UPDATE job SET output = jsonb_build_object('done', $4::int8, 'total', $5::int8) WHERE ${MINE} AND state = 'active'`;

const EXCUSE = `UPDATE job SET retry_limit = retry_limit + 1 WHERE ${MINE} AND state = 'active'`;

const HAND_BACK = `UPDATE job SET start_after = now() WHERE ${MINE} AND state = 'retry'`;

const COUNTS = `
SELECT q.name, q.queued_count AS waiting, q.active_count AS running, q.failed_count AS failed FROM ${QUEUES}`;

/** An attempt at a job. */
export interface Attempt {
  readonly name: string;
  readonly id: string;
  readonly retryCount: number;
}

export interface JobFilter {
  readonly type: string | null;
  readonly state: JobState | null;
  readonly after: readonly [micros: number, id: string] | null;
  readonly limit: number;
}

export interface JobCounts {
  readonly name: string;
  readonly waiting: number;
  readonly running: number;
  readonly failed: number;
}

/** What of the queue's tables is read, and the little that pg-boss has no call for. */
@Injectable()
export class JobsRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  list({ type, state, after, limit }: JobFilter): Promise<StoredJob[]> {
    const [micros, id] = after ?? [null, null];
    return this.query(LIST, [type, state === null ? null : [STATES[state]], micros, id, limit]);
  }

  async find(id: string): Promise<StoredJob | null> {
    const [row] = await this.query<StoredJob>(FIND, [id]);
    return row ?? null;
  }

  /** As some node counted them within the last seconds. */
  async waiting(tx: Transaction, name: string): Promise<number> {
    const [row] = await tx.query<{ waiting: number }>(WAITING, [name]);
    return row?.waiting ?? 0;
  }

  counts(): Promise<JobCounts[]> {
    return this.query(COUNTS, []);
  }

  async progress({ name, id, retryCount }: Attempt, done: number, total: number | null): Promise<void> {
    await this.query(PROGRESS, [name, id, retryCount, done, total]);
  }

  /** An attempt that the node ends by itself is none of those that the job has. */
  async excuse({ name, id, retryCount }: Attempt): Promise<void> {
    await this.query(EXCUSE, [name, id, retryCount]);
  }

  /** Due at once, without the pause that follows a failure. */
  async handBack({ name, id, retryCount }: Attempt): Promise<void> {
    await this.query(HAND_BACK, [name, id, retryCount]);
  }

  private query<T>(statement: string, parameters: unknown[]): Promise<T[]> {
    return this.unitOfWork.runStatement((tx) => tx.query<T>(statement, parameters));
  }
}
