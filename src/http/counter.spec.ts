import { describe, expect, it } from '@jest/globals';
import { Counter } from './counter.js';

describe('a tally', () => {
  it('has every kind from the beginning, so that the first one is seen as an increase', () => {
    expect([...new Counter(['one', 'other']).entries()]).toEqual([
      ['one', 0],
      ['other', 0],
    ]);
  });

  it('counts by one, by more, and down again', () => {
    const tally = new Counter(['bytes']);
    tally.add('bytes');
    tally.add('bytes', 41);
    tally.add('bytes', -2);
    expect(tally.of('bytes')).toBe(40);
  });
});
