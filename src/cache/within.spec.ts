import { describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { within } from './within.js';

const PATIENCE_MS = 200;

/** As a process does that its machine gives no time: nothing in it runs, and the clock goes on. */
function standStill(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** An answer that the event loop has to go round a few times for, as for one from the network. */
async function answerOnItsWay(): Promise<string> {
  for (let turns = 0; turns < 5; turns++) await turn();
  return 'answer';
}

describe('within', () => {
  it('gives the answer, and throws when there is none in time', async () => {
    expect(await within(PATIENCE_MS, answerOnItsWay())).toBe('answer');
    const begun = performance.now();
    await expect(within(PATIENCE_MS, new Promise(() => undefined))).rejects.toThrow(
      `Redis did not answer in ${PATIENCE_MS} ms`,
    );
    expect(performance.now() - begun).toBeGreaterThan(PATIENCE_MS * 0.9);
  });

  it('does not take it for late when it was this process that stood still', async () => {
    const answer = within(PATIENCE_MS, answerOnItsWay());
    standStill(PATIENCE_MS * 1.5);
    expect(await answer).toBe('answer');
  });
});
