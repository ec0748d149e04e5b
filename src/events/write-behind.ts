import { Logger } from '@nestjs/common';

export interface WriteBehindOptions<T> {
  /** For the log, such as `uses of keys`. */
  readonly what: string;
  readonly everyMs: number;
  /** Remembered between two writes; what is beyond is dropped and counted in a warning. */
  readonly maxEntries: number;
  /** One statement for all of them. */
  write(entries: readonly T[]): Promise<void>;
}

/**
 * What may be lost by a crash, collected in memory and written together: off the path of requests, for one statement
 * however many they were. `start` and `end` belong into the hooks of the owner's life.
 */
export class WriteBehind<T> {
  private readonly logger = new Logger(WriteBehind.name);
  private entries = new Map<string, T>();
  private dropped = 0;
  private writing: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly options: WriteBehindOptions<T>) {}

  start(): void {
    this.timer = setInterval(() => void this.flush(), this.options.everyMs).unref();
  }

  async end(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.flush();
  }

  /** What is waiting under the key, for its owner to add to. */
  get(key: string): T | undefined {
    return this.entries.get(key);
  }

  set(key: string, entry: T): void {
    if (this.entries.size < this.options.maxEntries || this.entries.has(key)) this.entries.set(key, entry);
    else this.dropped += 1;
  }

  /** Resolves when all that was set before is written, or lost. */
  flush(): Promise<void> {
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  private async write(): Promise<void> {
    const { what } = this.options;
    const entries = [...this.entries.values()];
    if (entries.length === 0) return;
    const { dropped } = this;
    this.entries = new Map();
    this.dropped = 0;
    if (dropped > 0) this.logger.warn({ dropped, message: `too many ${what} at once` });
    try {
      await this.options.write(entries);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.logger.warn({ error: text, lost: entries.length, message: `${what} are not recorded` });
    }
  }
}
