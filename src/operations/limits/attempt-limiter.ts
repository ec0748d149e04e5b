import { LRUCache } from 'lru-cache';
import { RateLimiterRes } from 'rate-limiter-flexible';
import type { Limit, Limiters, OpenLimiter } from '../../cache/limiters.js';
import { type Exhausted, secondsUntil } from './limit-headers.js';

export interface AttemptLimits extends Limit {
  /** Keys that this node counts in memory at once: new keys for each attempt do not fill it. */
  readonly maxKeys: number;
}

/** Counts attempts by a key such as an address, exactly: each is counted for all nodes before it goes on. */
export class AttemptLimiter {
  private readonly limiter: OpenLimiter;
  private readonly counted: LRUCache<string, true>;

  constructor(
    limiters: Limiters,
    private readonly limits: AttemptLimits,
  ) {
    this.limiter = limiters.open(limits);
    this.counted = new LRUCache({
      max: limits.maxKeys,
      dispose: (_, key) => {
        // What is not forgotten now is at the end of its window.
        this.limiter.own.delete(key).catch(() => undefined);
      },
    });
  }

  /** Counts one more: `null`, or that it is too many. */
  async count(key: string): Promise<Exhausted | null> {
    // Setting what is there already would dispose of it.
    if (!this.counted.get(key)) this.counted.set(key, true);
    try {
      await this.limiter.all.consume(key);
      return null;
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      return { ...this.limits, secondsToWait: secondsUntil(error.msBeforeNext) };
    }
  }

  /** Whether there was any in the window. */
  async has(key: string): Promise<boolean> {
    return (await this.limiter.all.get(key)) !== null;
  }

  /** Takes one attempt back; the others stay counted. */
  async takeBack(key: string): Promise<void> {
    if (this.counted.has(key)) await this.limiter.all.reward(key);
  }

  async forget(key: string): Promise<void> {
    this.counted.delete(key);
    await this.limiter.all.delete(key);
  }
}
