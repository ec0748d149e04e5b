import { describe, expect, it } from '@jest/globals';
import { type Clock, Pace, SYSTEM_CLOCK } from './pace.js';

/** Time that passes only where somebody sleeps. */
class FakeClock implements Clock {
  time = 0;

  now(): number {
    return this.time;
  }

  sleep(ms: number): Promise<void> {
    this.time += ms;
    return Promise.resolve();
  }
}

const RUNNING = new AbortController().signal;

describe('a pace', () => {
  it('lets as many bytes pass in a second as it was told, in pieces of any size', async () => {
    for (const piece of [1, 1_000, 64_000, 3_000_000]) {
      const clock = new FakeClock();
      const pace = new Pace(1_000_000, clock);
      let bytes = 0;
      for (; bytes < 6_000_000; bytes += piece) await pace.spend(piece, RUNNING);
      // Within the shortest pause that is made.
      expect(clock.time).toBeGreaterThan(bytes / 1_000 - 21);
      expect(clock.time).toBeLessThan(bytes / 1_000 + 1);
    }
  });

  it('gives no credit for time in which nothing was read', async () => {
    const clock = new FakeClock();
    const pace = new Pace(1_000, clock);
    clock.time = 3_600_000;
    await pace.spend(5_000, RUNNING);
    expect(clock.time).toBe(3_605_000);
  });

  it('bounds all who read at once together', async () => {
    const clock = new FakeClock();
    const waits: number[] = [];
    const pace = new Pace(1_000, { now: () => clock.now(), sleep: (ms) => Promise.resolve(void waits.push(ms)) });
    await Promise.all([1, 2, 3].map(async () => pace.spend(1_000, RUNNING)));
    expect(waits).toEqual([1_000, 2_000, 3_000]);
  });

  it('ends its pause when the run is stopped, with the reason', async () => {
    const stop = new AbortController();
    const waiting = new Pace(1, SYSTEM_CLOCK).spend(1_000_000, stop.signal);
    stop.abort(new Error('the node stops'));
    await expect(waiting).rejects.toThrow('the node stops');
  });
});
