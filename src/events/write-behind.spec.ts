import { beforeEach, describe, expect, it } from '@jest/globals';
import { WriteBehind } from './write-behind.js';

let written: number[][];
let failure: Error | null;
let behind: WriteBehind<number>;

beforeEach(() => {
  [written, failure] = [[], null];
  behind = new WriteBehind({
    what: 'numbers',
    everyMs: 1_000_000,
    maxEntries: 3,
    write: (entries) => {
      if (failure) return Promise.reject(failure);
      written.push([...entries]);
      return Promise.resolve();
    },
  });
});

describe('what is written behind', () => {
  it('is written once, all together, the last of each key', async () => {
    behind.set('a', 1);
    behind.set('b', 2);
    behind.set('a', (behind.get('a') ?? 0) + 2);
    await behind.flush();
    await behind.flush();
    expect(written).toEqual([[3, 2]]);
  });

  it('is bounded: further keys wait for the next write, known ones go on', async () => {
    for (const [value, key] of ['a', 'b', 'c', 'd'].entries()) behind.set(key, value);
    behind.set('a', 9);
    await behind.flush();
    behind.set('d', 4);
    await behind.flush();
    expect(written).toEqual([[9, 1, 2], [4]]);
  });

  it('is lost when it cannot be written, and the next is written all the same', async () => {
    failure = new Error('away');
    behind.set('a', 1);
    await behind.flush();
    failure = null;
    behind.set('b', 2);
    await behind.flush();
    expect(written).toEqual([[2]]);
  });

  it('is written at the end', async () => {
    behind.start();
    behind.set('a', 1);
    await behind.end();
    expect(written).toEqual([[1]]);
  });
});
