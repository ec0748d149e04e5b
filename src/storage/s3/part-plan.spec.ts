import { describe, expect, it } from '@jest/globals';
import { MAX_PARTS, PartPlan } from './part-plan.js';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

describe('the part plan', () => {
  it.each([
    [0, 8],
    [GIB - 1, 8],
    [GIB, 16],
    [8 * GIB, 32],
    [32 * GIB, 64],
    [499 * GIB, 64],
  ])('has at offset %i parts of %i MiB', (offset, mebibytes) => {
    expect(new PartPlan(null).partBytesAt(offset)).toBe(mebibytes * MIB);
  });

  it('brings the largest object into 10,000 parts, with a thousand to spare', () => {
    const plan = new PartPlan(null);
    let parts = 0;
    for (let offset = 0; offset < plan.maxObjectBytes; offset += plan.partBytesAt(offset)) parts += 1;
    expect(parts).toBeLessThan(MAX_PARTS - 1000);
  });

  it('makes a part of a rest only when S3 takes it and few were made', () => {
    const plan = new PartPlan(null);
    expect(plan.mayBePart(5 * MIB - 1, 0)).toBe(false);
    expect(plan.mayBePart(5 * MIB, 999)).toBe(true);
    expect(plan.mayBePart(5 * MIB, 1000)).toBe(false);
  });

  it('has equal parts for a store that wants them', () => {
    const plan = new PartPlan(10 * MIB);
    expect([plan.partBytesAt(0), plan.partBytesAt(90 * GIB), plan.largestPartBytes]).toEqual([
      10 * MIB,
      10 * MIB,
      10 * MIB,
    ]);
    expect(plan.mayBePart(9 * MIB, 0)).toBe(false);
    expect(plan.maxObjectBytes).toBe(100_000 * MIB);
  });
});
