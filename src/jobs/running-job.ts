import type { JobWithMetadata } from 'pg-boss';
import type { Transaction } from '../database/unit-of-work.js';
import { ClaimLost, type JobRun } from './job-handler.js';
import type { JobQueue } from './job-queue.service.js';
import type { JobsRepository } from './jobs.repository.js';
import type { JobProgress } from './stored-job.js';

const TELL_EVERY_MS = 1_000;

export class RunningJob implements JobRun {
  /** What the handler has told last. */
  told: JobProgress | undefined;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly job: JobWithMetadata,
    readonly signal: AbortSignal,
    private readonly queue: JobQueue,
    private readonly rows: JobsRepository,
  ) {}

  get id(): string {
    return this.job.id;
  }

  get attempt(): number {
    return this.job.retryCount + 1;
  }

  progress(done: number, total: number | null): void {
    this.told = { done, total };
    this.timer ??= setTimeout(() => {
      this.timer = null;
      if (!this.told || this.signal.aborted) return;
      // The next one tells more.
      this.rows.progress(this.job, this.told.done, this.told.total).catch(() => undefined);
    }, TELL_EVERY_MS).unref();
  }

  async complete(tx: Transaction): Promise<void> {
    const boss = await this.queue.get();
    const db = this.queue.within(tx);
    const { id, name, retryCount } = this.job;
    const { affected } = (await boss.complete(name, { id, retryCount }, this.told ?? null, { db })) as {
      affected?: number;
    };
    if (affected !== 1) throw new ClaimLost(`the job ${id} is not this node's any more`);
  }

  end(): void {
    if (this.timer) clearTimeout(this.timer);
  }
}
