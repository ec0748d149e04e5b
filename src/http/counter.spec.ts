import { describe, expect, it } from '@jest/globals';
import { Counter } from './counter.js';

describe('a counter', () => {
  it('has every kind from the beginning, so that the first one is seen as an increase', () => {
    expect([...new Counter(['one', 'other']).entries()]).toEqual([
      ['one', 0],
      ['other', 0],
    ]);
  });

  it('counts by one, by more, and down again', () => {
    const counter = new Counter(['bytes']);
    counter.add('bytes');
    counter.add('bytes', 41);
    counter.add('bytes', -2);
    expect(counter.of('bytes')).toBe(40);
  });
});
