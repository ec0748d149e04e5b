import { describe, expect, it } from '@jest/globals';
import { Latest } from './latest.js';

describe('the latest answer', () => {
  it('is a new one where it comes at once, and nothing after an error', async () => {
    let count = 0;
    const latest = new Latest(() => (++count === 3 ? Promise.reject(new Error('away')) : Promise.resolve(count)));
    expect([await latest.get(), await latest.get(), await latest.get(), await latest.get()]).toEqual([1, 2, null, 4]);
  });

  it('is the one before while the next is late, and nobody asks twice meanwhile', async () => {
    const late = Promise.withResolvers<string>();
    const answers = [Promise.resolve('first'), late.promise];
    let asked = 0;
    const latest = new Latest(() => answers[asked++] ?? Promise.resolve('third'));
    expect([await latest.get(), await latest.get(), await latest.get()]).toEqual(['first', 'first', 'first']);
    expect(asked).toBe(2);
    late.resolve('second');
    await late.promise;
    expect(await latest.get()).toBe('second');
  });
});
