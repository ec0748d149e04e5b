import { setTimeout as sleep } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Throws the signal's reason when it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await sleep(ms, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
};

/** Shorter pauses are saved up: a timer is no more exact. */
const SHORTEST_PAUSE_MS = 20;

/** Keeps readers, all together, to a number of bytes a second. Time that was not used is no credit. */
export class Pace {
  /** When the bytes that were read so far may have been read. */
  private due = 0;

  constructor(
    private readonly bytesPerSecond: number,
    private readonly clock: Clock = SYSTEM_CLOCK,
  ) {}

  /** Something to wait for after these bytes, or nothing. Throws the signal's reason when it is aborted meanwhile. */
  spend(bytes: number, signal: AbortSignal): Promise<void> | undefined {
    const now = this.clock.now();
    this.due = Math.max(this.due, now) + (bytes / this.bytesPerSecond) * 1000;
    const pause = this.due - now;
    return pause < SHORTEST_PAUSE_MS ? undefined : this.clock.sleep(pause, signal);
  }
}
