import { Injectable, Logger } from '@nestjs/common';
import type { JobResult, JobWithMetadata } from 'pg-boss';
import { withoutShare } from '../fairness/current-share.js';
import { ClaimLost, JobFailed, type JobHandler } from './job-handler.js';
import { readPayload } from './job-payload.js';
import { JobQueue } from './job-queue.service.js';
import { RunningJob } from './running-job.js';
import { type Attempt, JobsRepository } from './jobs.repository.js';
import { JOB_ATTEMPTS } from './job-counts.js';

export type AnyHandler = JobHandler<Record<string, never>>;

/** Of an error, for the list of jobs; the log has no more of it. */
const MAX_TEXT = 500;

/** The attempts that run in this process. */
@Injectable()
export class JobAttempts {
  private readonly logger = new Logger(JobAttempts.name);
  private readonly stopping = new AbortController();
  private readonly interrupted: Attempt[] = [];

  constructor(
    private readonly queue: JobQueue,
    private readonly rows: JobsRepository,
  ) {}

  /** Never throws: pg-boss would keep an error with all that it holds, parameters of statements among it. */
  async run(handler: AnyHandler, job: JobWithMetadata): Promise<JobResult> {
    const signal = AbortSignal.any([job.signal, this.stopping.signal]);
    const run = new RunningJob(job, signal, this.queue, this.rows);
    try {
      signal.throwIfAborted();
      await withoutShare(async () => handler.run(await readPayload(handler.type, job.data), run));
      JOB_ATTEMPTS.add(job.name, 'done');
      return { id: job.id, status: 'completed', output: run.told };
    } catch (error) {
      return await this.failed(job, error);
    } finally {
      run.end();
    }
  }

  /** The node stops: what runs is told so. */
  interrupt(): void {
    this.stopping.abort(new Error('the node stops'));
  }

  /** Gives to other nodes what `interrupt` has ended here. */
  async handBack(): Promise<void> {
    for (const attempt of this.interrupted.splice(0)) await this.rows.handBack(attempt).catch(() => undefined);
  }

  private async failed(job: JobWithMetadata, error: unknown): Promise<JobResult> {
    const { id, name, retryCount, retryLimit } = job;
    const message = (error instanceof Error ? error.message : String(error)).slice(0, MAX_TEXT);
    const result = { id, output: { message } };
    if (this.stopping.signal.aborted) {
      JOB_ATTEMPTS.add(name, 'interrupted');
      await this.rows.excuse(job).catch(() => undefined); // then it has one attempt less
      this.interrupted.push({ id, name, retryCount });
      return { ...result, status: 'failed' };
    }
    if (job.signal.aborted || error instanceof ClaimLost) {
      JOB_ATTEMPTS.add(name, 'lost');
      this.logger.log({ job: name, id, message: 'a job was cancelled, took too long or is another node’s now' });
      return { ...result, status: 'failed' };
    }
    const isFinal = error instanceof JobFailed || retryCount >= retryLimit;
    JOB_ATTEMPTS.add(name, isFinal ? 'failed' : 'retried');
    this.logger.warn({ job: name, id, attempt: retryCount + 1, isFinal, error: message, message: 'a job has failed' });
    // pg-boss's word for an end without the attempts that are left.
    return { ...result, status: isFinal ? 'deadletter' : 'failed' };
  }
}
