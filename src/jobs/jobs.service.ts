import { Injectable, Logger } from '@nestjs/common';
import type { Transaction } from '../database/unit-of-work.js';
import { ApiError } from '../http/errors/api-error.js';
import { JobQueue } from './job-queue.service.js';
import type { Ids, JobType } from './job-type.js';
import { writePayload } from './job-payload.js';
import { JobWakers } from './job-wakers.js';
import { type JobCounts, type JobFilter, JobsRepository } from './jobs.repository.js';
import { hasEnded, type StoredJob } from './stored-job.js';

/** Jobs of a kind; what fills it further is told to come again. */
export const MAX_WAITING = 100_000;

export interface EnqueueOptions {
  /** Of a unique job: what it is unique for. */
  readonly key?: string;
  readonly startAfter?: Date;
}

/** The queue, for those who have work to be done once, and for administrators. */
@Injectable()
export class Jobs {
  private readonly logger = new Logger(Jobs.name);

  constructor(
    private readonly queue: JobQueue,
    private readonly rows: JobsRepository,
    private readonly wakers: JobWakers,
  ) {}

  /**
   * Enqueues in the transaction: there is a job exactly when the change is committed. `null` when a unique one waits or
   * runs already. Throws `unavailable` when too many wait. Not for a transaction of a single statement.
   */
  async enqueue<P extends Ids<P>>(
    tx: Transaction,
    type: JobType<P>,
    payload: P,
    { key, startAfter }: EnqueueOptions = {},
  ): Promise<string | null> {
    const data = await writePayload(type, payload);
    const boss = await this.queue.get();
    await this.queue.ensure(type);
    if ((await this.rows.waiting(tx, type.name)) >= MAX_WAITING) {
      this.logger.warn({ job: type.name, message: 'too many jobs wait' });
      throw new ApiError('unavailable', 'too much work of this kind waits');
    }
    const id = await boss.send(type.name, data, {
      ...this.queue.optionsOf(type),
      db: this.queue.within(tx),
      ...(key === undefined ? {} : { singletonKey: key }),
      ...(startAfter === undefined ? {} : { startAfter }),
    });
    if (id !== null && startAfter === undefined) {
      tx.afterCommit(() => {
        this.wakers.wake(type.name);
      });
    }
    return id;
  }

  list(filter: JobFilter): Promise<StoredJob[]> {
    return this.rows.list(filter);
  }

  /** Of each kind, over all nodes. */
  counts(): Promise<readonly JobCounts[]> {
    return this.rows.counts();
  }

  /** Throws `notFound`. */
  async get(id: string): Promise<StoredJob> {
    const job = await this.rows.find(id);
    if (!job) throw new ApiError('notFound');
    return job;
  }

  /** One that runs is told within seconds. Throws `notFound`, and `conflict` when it has ended. */
  async cancel(id: string): Promise<void> {
    const job = await this.get(id);
    if (!hasEnded(job)) await (await this.queue.get()).cancel(job.name, id);
    const { endedAt, stored } = await this.get(id);
    const isCancelledNow = stored === 'cancelled' && !hasEnded(job);
    if (endedAt !== null && !isCancelledNow) throw new ApiError('conflict', 'the job has ended');
  }
}
