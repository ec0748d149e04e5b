import { Logger } from '@nestjs/common';
import { withoutShare } from '../fairness/current-share.js';
import { TASK_RUNS } from './outcome-counts.js';

export interface PeriodicTaskOptions {
  /** Of the metric, such as `upload-sweep`. */
  readonly name: string;
  /** From the end of one run to the beginning of the next. */
  readonly pauseMs: number;
  /** What chance adds to the pause at most, as a part of it, so that nodes do not come together; 1 by default. */
  readonly jitter?: number;
  /** What the log says of a run that failed, such as `expired uploads are removed later`. */
  readonly failure: string;
  /** The signal is aborted when the process stops. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Housekeeping that every process does for itself: it may be lost, it is not listed, and a run that fails is made up for
 * by the next. What must happen once over all nodes is a job. `start` or `soon`, and `stop`, belong into the hooks of the
 * owner's life.
 */
export class PeriodicTask {
  private readonly logger: Logger;
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private next: Promise<void> | null = null;
  private isRepeated = false;
  /** Of the last run; the same one is told once, not every second for as long as the database is away. */
  private problem: string | null = null;

  constructor(private readonly options: PeriodicTaskOptions) {
    this.logger = new Logger(options.name);
    TASK_RUNS.register(options.name);
  }

  /** Aborted from `stop` on. */
  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  /** Runs again and again, the first time after a pause. */
  start(): void {
    this.isRepeated = true;
    this.soon();
  }

  /** Runs once after the pause; nothing when that is to come already. */
  soon(): void {
    if (this.timer !== null || this.stopping.signal.aborted) return;
    const { pauseMs, jitter = 1 } = this.options;
    const pause = pauseMs * (1 + Math.random() * jitter);
    this.timer = withoutShare(() =>
      setTimeout(() => {
        this.timer = null;
        void this.now().then(() => {
          if (this.isRepeated) this.soon();
        });
      }, pause).unref(),
    );
  }

  /** Runs at once, or after the run that goes on. Resolves with its end; never rejects. */
  now(): Promise<void> {
    this.next ??= this.running.then(() => {
      this.next = null;
      this.running = withoutShare(() => this.once());
      return this.running;
    });
    return this.next;
  }

  /** Resolves when nothing runs any more, and never will. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('the node stops'));
    if (this.timer) clearTimeout(this.timer);
    await (this.next ?? this.running);
  }

  private async once(): Promise<void> {
    if (this.stopping.signal.aborted) return;
    const { name, failure } = this.options;
    try {
      await this.options.run(this.signal);
      TASK_RUNS.add(name, 'done');
      this.problem = null;
    } catch (error) {
      if (this.signal.aborted) return;
      TASK_RUNS.add(name, 'failed');
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== this.problem) this.logger.warn({ error: problem, message: failure });
      this.problem = problem;
    }
  }
}
