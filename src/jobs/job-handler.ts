import type { Transaction } from '../database/unit-of-work.js';
import type { Ids, JobType } from './job-type.js';

/** One attempt at a job. */
export interface JobRun {
  readonly id: string;
  /** From 1; also an attempt counts whose node died. */
  readonly attempt: number;
  /** Aborted when the node stops, the job was cancelled, it took too long, or another node has taken it over. */
  readonly signal: AbortSignal;
  /** For the list of jobs. Written once a second at most, so it may be told as often as something moves. */
  progress(done: number, total: number | null): void;
  /**
   * Ends the job in the transaction of its effect: both are there, or neither. Throws `ClaimLost` when it was cancelled
   * or another node has it. A handler that does not call it must be one that can run twice.
   */
  complete(tx: Transaction): Promise<void>;
}

/** Does the work of one kind. A provider of its module; nothing else has to know it. */
export abstract class JobHandler<P extends Ids<P>> {
  abstract readonly type: JobType<P>;

  /** Throws `JobFailed` where another attempt would be no use, anything else to be tried again. */
  abstract run(payload: P, run: JobRun): Promise<void>;
}

/** Fails the job at once, without the attempts that are left. */
export class JobFailed extends Error {}

/** The job is not this attempt's any more. */
export class ClaimLost extends Error {}
