import { describe, expect, it } from '@jest/globals';
import { FreeRanges } from './free-ranges.js';

const LARGE = 8;

describe('the free ranges of a block', () => {
  it('give large pieces from the beginning and small ones from the end', () => {
    const ranges = new FreeRanges(100, LARGE);
    expect([ranges.take(10), ranges.take(3), ranges.take(20), ranges.take(4)]).toEqual([0, 97, 10, 93]);
    expect(ranges.bytes).toBe(63);
  });

  it('give nothing when no range is long enough, though all together would be', () => {
    const ranges = new FreeRanges(30, LARGE);
    for (const _ of [1, 2, 3]) ranges.take(10);
    ranges.give(0, 10);
    ranges.give(20, 10);
    expect([ranges.bytes, ranges.take(11), ranges.take(10)]).toEqual([20, null, 0]);
  });

  it('join what is given back with what is free beside it', () => {
    const ranges = new FreeRanges(30, LARGE);
    for (const _ of [1, 2, 3]) ranges.take(10);
    for (const start of [0, 20, 10]) ranges.give(start, 10);
    expect(ranges.take(30)).toBe(0);
  });

  it('exchange a piece for a longer one in its place, or leave it as it is', () => {
    const ranges = new FreeRanges(30, LARGE);
    const [first, second] = [ranges.take(10) ?? -1, ranges.take(10) ?? -1];
    expect(ranges.exchange(first, 10, 15)).toBeNull();
    expect(ranges.bytes).toBe(10);
    expect(ranges.exchange(second, 10, 20)).toBe(10);
    expect([ranges.bytes, ranges.take(1)]).toEqual([0, null]);
  });

  it('never give the same bytes twice, and lose none', () => {
    const total = 200;
    const ranges = new FreeRanges(total, LARGE);
    const held: { start: number; bytes: number }[] = [];
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
    for (let step = 0; step < 5_000; step++) {
      if (random(2) === 0) {
        const bytes = 1 + random(30);
        const start = ranges.take(bytes);
        if (start === null) continue;
        expect(start >= 0 && start + bytes <= total).toBe(true);
        expect(held.every((other) => start + bytes <= other.start || other.start + other.bytes <= start)).toBe(true);
        held.push({ start, bytes });
      } else {
        const [piece] = held.splice(random(held.length || 1), 1);
        if (piece) ranges.give(piece.start, piece.bytes);
      }
      expect(ranges.bytes).toBe(total - held.reduce((sum, { bytes }) => sum + bytes, 0));
    }
    for (const { start, bytes } of held) ranges.give(start, bytes);
    expect(ranges.take(total)).toBe(0);
  });
});
