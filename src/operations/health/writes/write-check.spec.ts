import { describe, expect, it } from '@jest/globals';
import { WriteCheck } from './write-check.js';

const INTERVAL_MS = 60_000;

function checked(intervalMs = INTERVAL_MS) {
  const state = { now: 0, attempts: 0, failure: null as Error | null, told: [] as unknown[] };
  const check = new WriteCheck({
    probe: () => {
      state.attempts += 1;
      return state.failure === null ? Promise.resolve() : Promise.reject(state.failure);
    },
    reasonOf: () => 'full',
    intervalMs,
    changed: (reason) => state.told.push(reason),
    now: () => state.now,
  });
  return { state, check };
}

describe('a write check', () => {
  it('is one attempt for all who ask at once, and none until the interval has passed', async () => {
    const { state, check } = checked();
    await Promise.all(Array.from({ length: 50 }, () => check.look()));
    state.now = INTERVAL_MS - 1;
    await check.look();
    expect(state.attempts).toBe(1);
    state.now = INTERVAL_MS;
    await check.look();
    expect(state.attempts).toBe(2);
  });

  it('is made early when a write has failed, and soon again until writes succeed', async () => {
    const { state, check } = checked();
    await check.look();
    state.now = 3_000;
    state.failure = new Error('no space left');
    check.doubt();
    await check.look();
    expect(check.reason).toBe('full');
    state.now = 6_000;
    await check.look();
    state.failure = null;
    state.now = 9_000;
    await check.look();
    expect([state.attempts, check.reason, state.told]).toEqual([4, null, ['full', null]]);
  });

  it('does not follow every failure of a storm', async () => {
    const { state, check } = checked();
    for (let failure = 0; failure < 100; failure++) {
      check.doubt();
      await check.look();
    }
    expect(state.attempts).toBe(1);
  });

  it('with an interval of 0 is made only after a failure', async () => {
    const { state, check } = checked(0);
    state.now = 10 * INTERVAL_MS;
    await check.look();
    expect(state.attempts).toBe(0);
    check.doubt();
    await check.look();
    expect(state.attempts).toBe(1);
  });
});
