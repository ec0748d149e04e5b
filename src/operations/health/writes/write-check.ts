import type { WriteReason } from './write-reasons.js';

/** Between two checks while writes fail, or when one has just failed; milliseconds. */
const AGAIN_MS = 3_000;

export interface WriteCheckOptions {
  /** Writes something small. */
  readonly probe: () => Promise<void>;
  readonly reasonOf: (error: unknown) => WriteReason;
  /** Between two checks while writes succeed; 0: only after a write has failed. Milliseconds. */
  readonly intervalMs: number;
  /** Is told when it changes: `null` when writes succeed again. */
  readonly changed: (reason: WriteReason | null, error: unknown) => void;
  readonly now?: () => number;
}

/**
 * Whether something takes writes, tried at most now and then, however many ask: all who ask while it is tried share one
 * attempt, and a write that has failed elsewhere makes the next one who asks try it at once.
 */
export class WriteCheck {
  private latest: WriteReason | null = null;
  private checkedAt = -Infinity;
  private isDoubted = false;
  private running: Promise<void> | null = null;
  private readonly now: () => number;

  constructor(private readonly options: WriteCheckOptions) {
    this.now = options.now ?? (() => performance.now());
  }

  /** What is known; `null` when writes succeed. */
  get reason(): WriteReason | null {
    return this.latest;
  }

  /** A write has failed. */
  doubt(): void {
    this.isDoubted = true;
  }

  /** Tries it when it is time. Resolves with the end of the attempt that is under way. */
  async look(): Promise<void> {
    if (this.running === null && this.isDue()) {
      this.running = this.check().finally(() => {
        this.running = null;
      });
    }
    await this.running;
  }

  private isDue(): boolean {
    const age = this.now() - this.checkedAt;
    if (this.latest !== null || this.isDoubted) return age >= AGAIN_MS;
    return this.options.intervalMs > 0 && age >= this.options.intervalMs;
  }

  private async check(): Promise<void> {
    this.isDoubted = false;
    this.checkedAt = this.now();
    try {
      await this.options.probe();
      this.settle(null, null);
    } catch (error) {
      this.settle(this.options.reasonOf(error), error);
    }
  }

  private settle(reason: WriteReason | null, error: unknown): void {
    const isNew = reason !== this.latest;
    this.latest = reason;
    if (isNew) this.options.changed(reason, error);
  }
}
