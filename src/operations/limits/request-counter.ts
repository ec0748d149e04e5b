import { LRUCache } from 'lru-cache';
import type { AddToCount, Limit } from '../../cache/limiters.js';

/** Others are told each time this part of the limit has been counted here. */
const PARTS = 100;
/** Keys counted at once; the least recently used one starts again. */
const MAX_KEYS = 50_000;
/** After a failure the others are left alone for this long. Milliseconds. */
const PAUSE_MS = 500;

interface Count {
  /** Of all, as far as this process was told. */
  told: number;
  /** Counted here, and not known to the others. */
  untold: number;
  endsAt: number;
  isTelling: boolean;
}

/** What is left to a key after the request that was just counted. */
export interface Standing {
  readonly isOver: boolean;
  readonly remaining: number;
  /** Until it counts anew. */
  readonly milliseconds: number;
}

/**
 * Counts requests without waiting: here at once, and for all processes when a hundredth of the limit has come
 * together. With n processes up to n hundredths of the limit are known to one of them alone, and that many more than
 * the limit may pass (docs/design/rate-limits.md). While no count can be shared, each process has the whole limit.
 */
export class RequestCounter {
  private readonly counts = new LRUCache<string, Count>({ max: MAX_KEYS });
  private readonly step: number;
  private pausedUntil = -Infinity;

  constructor(
    private readonly limit: Limit,
    /** `null` where this process is alone. */
    private readonly add: AddToCount | null,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.step = Math.ceil(limit.points / PARTS);
  }

  take(key: string): Standing {
    const now = this.now();
    const count = this.countOf(key, now);
    const left = this.limit.points - count.told - count.untold;
    const milliseconds = count.endsAt - now;
    if (left <= 0) return { isOver: true, remaining: 0, milliseconds };
    count.untold += 1;
    if (this.add !== null && count.untold >= this.step) void this.tell(this.add, key, count);
    return { isOver: false, remaining: left - 1, milliseconds };
  }

  private countOf(key: string, now: number): Count {
    const known = this.counts.get(key);
    if (known !== undefined && known.endsAt > now) return known;
    const count = { told: 0, untold: 0, endsAt: now + this.limit.windowSeconds * 1000, isTelling: false };
    this.counts.set(key, count);
    return count;
  }

  /** What comes meanwhile is told afterwards, all at once. */
  private async tell(add: AddToCount, key: string, count: Count): Promise<void> {
    if (count.isTelling || this.now() < this.pausedUntil) return;
    count.isTelling = true;
    try {
      while (count.untold >= this.step) {
        const points = count.untold;
        const shared = await add(key, points);
        count.told = shared.points;
        count.untold -= points;
        count.endsAt = this.now() + shared.milliseconds;
      }
    } catch {
      this.pausedUntil = this.now() + PAUSE_MS;
    } finally {
      count.isTelling = false;
    }
  }
}
