import { beforeEach, describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import type { SharedCount } from '../../cache/limiters.js';
import { RequestCounter } from './request-counter.js';

const LIMIT = { name: 'user', points: 1_000, windowSeconds: 60 };
const STEP = 10;

/** What all processes share: one count a key, whose window begins with its first point. */
class Shared {
  isAway = false;
  calls = 0;
  private readonly counts = new Map<string, { points: number; endsAt: number }>();

  constructor(private readonly now: () => number) {}

  async add(key: string, points: number): Promise<SharedCount> {
    this.calls += 1;
    await turn();
    if (this.isAway) throw new Error('away');
    let count = this.counts.get(key);
    if (!count || count.endsAt <= this.now()) count = { points: 0, endsAt: this.now() + 60_000 };
    count.points += points;
    this.counts.set(key, count);
    return { points: count.points, milliseconds: count.endsAt - this.now() };
  }
}

let clock: number;
let shared: Shared;

beforeEach(() => {
  clock = 0;
  shared = new Shared(() => clock);
});

function processes(count: number): RequestCounter[] {
  const now = (): number => clock;
  return Array.from({ length: count }, () => new RequestCounter(LIMIT, (...what) => shared.add(...what), now));
}

/** So many requests, each to the next process; the number that were let through. */
async function ask(counters: readonly RequestCounter[], requests: number, key = 'user:7'): Promise<number> {
  let passed = 0;
  for (let i = 0; i < requests; i++) {
    if (counters[i % counters.length]?.take(key).isOver === false) passed += 1;
    await turn();
  }
  return passed;
}

describe('RequestCounter', () => {
  it('lets exactly the limit through where one process is alone, and says what is left and when it counts anew', () => {
    const counter = new RequestCounter(LIMIT, null, () => clock);
    clock = 5;
    expect(counter.take('user:7')).toEqual({ isOver: false, remaining: 999, milliseconds: 60_000 });
    clock = 1_005;
    const standings = Array.from({ length: 1_200 }, () => counter.take('user:7'));
    expect(standings.filter(({ isOver }) => !isOver)).toHaveLength(999);
    expect(standings.at(-1)).toEqual({ isOver: true, remaining: 0, milliseconds: 59_000 });
    expect(counter.take('user:8').isOver).toBe(false);
    clock = 60_005;
    expect(counter.take('user:7').remaining).toBe(999);
  });

  it.each([2, 3, 8])('of %s processes lets at most that many hundredths too much through', async (count) => {
    const passed = await ask(processes(count), 2 * LIMIT.points);
    expect(passed).toBeGreaterThanOrEqual(LIMIT.points);
    expect(passed).toBeLessThanOrEqual(LIMIT.points + count * STEP);
  });

  it('asks for a hundredth of the limit at a time, once while there is no answer, and nothing of quiet keys', async () => {
    const [counter] = processes(1);
    for (let i = 0; i < STEP - 1; i++) counter?.take('user:7');
    expect(shared.calls).toBe(0);
    for (let i = 0; i < 5 * STEP; i++) counter?.take('user:7'); // before the first answer
    expect(shared.calls).toBe(1);
    await turn();
    await turn();
    expect(shared.calls).toBe(2);
  });

  it('ends the window when it ends for all', async () => {
    const [first, second] = processes(2);
    for (let i = 0; i < STEP; i++) first?.take('user:7');
    await turn();
    clock = 50_000;
    for (let i = 0; i < STEP; i++) second?.take('user:7');
    await turn();
    expect(second?.take('user:7').milliseconds).toBe(10_000);
    clock = 60_000;
    expect(second?.take('user:7').remaining).toBe(LIMIT.points - 1);
  });

  it('counts for itself while nobody can be told, leaves them alone for a while, and tells them afterwards', async () => {
    const [counter] = processes(1);
    shared.isAway = true;
    const passed = await ask(processes(1), 2 * LIMIT.points);
    expect(passed).toBe(LIMIT.points);
    for (let i = 0; i < 3 * STEP; i++) {
      counter?.take('user:9');
      await turn();
    }
    const calls = shared.calls;
    shared.isAway = false;
    clock += 1_000;
    counter?.take('user:9');
    await turn();
    await turn();
    expect(shared.calls).toBe(calls + 1);
    expect(await shared.add('user:9', 0)).toMatchObject({ points: 3 * STEP + 1 });
  });
});
