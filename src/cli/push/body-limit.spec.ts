import { describe, expect, it } from '@jest/globals';
import { BodyLimit, SMALLEST_CHUNK } from './body-limit.js';

const MIB = 1 << 20;

describe('how much of a blob one request carries', () => {
  it('is all of it until a body was too large', () => {
    expect(new BodyLimit().endOf(0, 10_000 * MIB)).toBe(10_000 * MIB);
    const given = new BodyLimit(10 * MIB);
    expect([given.endOf(0, 25 * MIB), given.endOf(20 * MIB, 25 * MIB)]).toEqual([10 * MIB, 25 * MIB]);
  });

  it('is half of what was too large, for every blob, and never more again', () => {
    const limit = new BodyLimit();
    expect(limit.lower(24 * MIB)).toBe(12 * MIB);
    expect(limit.lower(12 * MIB)).toBe(6 * MIB);
    expect(limit.lower(100 * MIB)).toBe(6 * MIB); // of a blob that was on its way meanwhile
    expect(limit.endOf(0, 100 * MIB)).toBe(6 * MIB);
  });

  it('has an end', () => {
    const limit = new BodyLimit();
    expect(limit.lower(SMALLEST_CHUNK + 1)).toBe(SMALLEST_CHUNK);
    expect(limit.lower(SMALLEST_CHUNK)).toBe(null);
  });
});
