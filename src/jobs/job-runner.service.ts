import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { JobResult, JobWithMetadata, PgBoss } from 'pg-boss';
import { AppConfig } from '../config/config.js';
import { PeriodicTask } from '../periodic/periodic-task.js';
import { type AnyHandler, JobAttempts } from './job-attempts.service.js';
import { JobHandler } from './job-handler.js';
import { JobQueue } from './job-queue.service.js';
import { JobWakers } from './job-wakers.js';
import { JOB_ATTEMPTS } from './job-counts.js';
import { JOBS_CONFIG } from './jobs.config.js';
import { QUEUE_TIMES } from './queue-times.js';

/** After the start, which is to listen first; and again when the database was away. */
const START_AFTER_MS = 1_000;

/**
 * Has this process work on jobs: `JOBS_CONCURRENCY` of each kind for which some module provides a `JobHandler`. A kind
 * that this version does not know is left to nodes that do.
 */
@Injectable()
export class JobRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(JobRunner.name);
  private readonly begin = new PeriodicTask({
    name: 'job-runner-start',
    pauseMs: START_AFTER_MS,
    failure: 'jobs are begun later',
    run: () => this.workOnAll(),
  });

  private readonly concurrency: number;

  constructor(
    private readonly providers: DiscoveryService,
    private readonly queue: JobQueue,
    private readonly attempts: JobAttempts,
    private readonly wakers: JobWakers,
    config: AppConfig,
  ) {
    this.concurrency = config.of(JOBS_CONFIG).concurrency;
  }

  onApplicationBootstrap(): void {
    const handlers = this.handlers();
    const names = handlers.map(({ type }) => type.name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) throw new Error(`the job ${twice} has two handlers`);
    for (const name of names) JOB_ATTEMPTS.register(name);
    // Also where none is worked on: the first enqueuing then needs no second connection while it has one.
    if (handlers.length > 0) this.begin.soon();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.attempts.interrupt();
    await this.begin.stop();
    await this.queue.stop();
    await this.attempts.handBack();
  }

  /** What the modules provide. */
  private handlers(): AnyHandler[] {
    return this.providers
      .getProviders()
      .map(({ instance }: { instance: unknown }) => instance)
      .filter((instance) => instance instanceof JobHandler) as AnyHandler[];
  }

  private async workOnAll(): Promise<void> {
    try {
      const boss = await this.queue.get();
      for (const handler of this.handlers()) await this.workOn(boss, handler);
    } catch (error) {
      this.begin.soon();
      throw error;
    }
  }

  /** Once for each handler, also after a start that failed in the middle. */
  private async workOn(boss: PgBoss, handler: AnyHandler): Promise<void> {
    const { type } = handler;
    if (this.wakers.has(type.name)) return;
    await this.queue.ensure(type);
    const { cron } = type.rules;
    if (cron !== null)
      await boss.schedule(type.name, cron, {}, { ...this.queue.optionsOf(type), tz: 'UTC', missed: 'once' });
    const workers = await Promise.all(Array.from({ length: this.concurrency }, () => this.poll(boss, handler)));
    this.wakers.set(type.name, () => {
      for (const worker of workers) boss.notifyWorker(worker);
    });
    this.logger.debug({ job: type.name, message: 'works on jobs' });
  }

  private poll(boss: PgBoss, handler: AnyHandler): Promise<string> {
    const options = {
      includeMetadata: true,
      perJobResults: true,
      pollingIntervalSeconds: QUEUE_TIMES.pollSeconds,
      heartbeatRefreshSeconds: QUEUE_TIMES.refreshSeconds,
    } as const;
    return boss.work(handler.type.name, options, async (jobs: JobWithMetadata[]): Promise<JobResult[]> => {
      const results: JobResult[] = [];
      for (const job of jobs) results.push(await this.attempts.run(handler, job));
      this.wakers.wake(handler.type.name); // there may be more
      return results;
    });
  }
}
