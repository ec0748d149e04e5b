import { setTimeout as sleep } from 'node:timers/promises';

/** A scrape must come to its end just when what it asks does not answer. */
const PATIENCE_MS = 200;

/** What an answer was when it last came: who looks asks again, and waits for it only a moment. */
export class Latest<T> {
  private value: T | null = null;
  private running: Promise<void> | null = null;

  constructor(private readonly read: () => Promise<T>) {}

  /** `null` when there was no answer yet, or the last one was an error. */
  async get(): Promise<T | null> {
    this.running ??= this.refresh().finally(() => {
      this.running = null;
    });
    await Promise.race([this.running, sleep(PATIENCE_MS, undefined, { ref: false })]);
    return this.value;
  }

  private async refresh(): Promise<void> {
    try {
      this.value = await this.read();
    } catch {
      this.value = null;
    }
  }
}
