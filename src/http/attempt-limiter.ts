import cluster from 'node:cluster';
import { LRUCache } from 'lru-cache';
import { RateLimiterCluster, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

export interface AttemptLimits {
  /** Of what; each limiter has its own. */
  readonly name: string;
  readonly attempts: number;
  /** Seconds from the first attempt until it counts anew. */
  readonly windowSeconds: number;
  /** Keys that are counted at once: whoever comes with a new one each time fills no memory. */
  readonly maxKeys: number;
}

/** Counts attempts by a key such as an address; each node for itself, all of its workers together. */
export class AttemptLimiter {
  private readonly attempts: RateLimiterMemory | RateLimiterCluster;
  private readonly counted: LRUCache<string, true>;

  constructor({ name, attempts, windowSeconds, maxKeys }: AttemptLimits) {
    const limits = { keyPrefix: name, points: attempts, duration: windowSeconds };
    // A worker asks the primary: otherwise whoever opens a connection to each would have several times the attempts.
    this.attempts = cluster.isWorker ? new RateLimiterCluster(limits) : new RateLimiterMemory(limits);
    this.counted = new LRUCache({
      max: maxKeys,
      dispose: (_, key) => {
        // What is not forgotten now is at the end of its window.
        this.attempts.delete(key).catch(() => undefined);
      },
    });
  }

  /** Counts one more: `null`, or where that is too many the seconds to wait. */
  async count(key: string): Promise<number | null> {
    // Setting what is there already would dispose of it.
    if (!this.counted.get(key)) this.counted.set(key, true);
    try {
      await this.attempts.consume(key);
      return null;
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      return Math.max(1, Math.ceil(error.msBeforeNext / 1000));
    }
  }

  /** Takes one attempt back; the others stay counted. */
  async takeBack(key: string): Promise<void> {
    if (this.counted.has(key)) await this.attempts.reward(key);
  }

  forget(key: string): void {
    this.counted.delete(key);
  }
}
