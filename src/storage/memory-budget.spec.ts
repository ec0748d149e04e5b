import { describe, expect, it } from '@jest/globals';
import { MemoryBudget } from './memory-budget.js';
import { StoreBusy } from './storage-errors.js';

const never = new AbortController().signal;

describe('the memory budget', () => {
  it('serves who came first, even when a later one would fit', async () => {
    const budget = new MemoryBudget(100);
    const first = await budget.take(60, never);
    const order: string[] = [];
    const large = budget.take(80, never).then((lease) => (order.push('large'), lease));
    const small = budget.take(10, never).then((lease) => (order.push('small'), lease));
    expect(budget.waiting).toBe(2);
    expect(budget.tryLease(1)).toBeNull();
    first.release();
    await Promise.all([large, small]);
    expect(order).toEqual(['large', 'small']);
    expect(budget.freeBytes).toBe(10);
  });

  it('gives up after the longest wait, and lets the next one pass', async () => {
    const budget = new MemoryBudget(100, 20);
    const held = await budget.take(60, never);
    const large = budget.take(80, never);
    const small = budget.take(10, never);
    await expect(large).rejects.toBeInstanceOf(StoreBusy);
    (await small).release();
    held.release();
    expect([budget.freeBytes, budget.waiting]).toEqual([100, 0]);
  });

  it('stops waiting with the reason of the signal', async () => {
    const budget = new MemoryBudget(100);
    const held = await budget.take(100, never);
    const abort = new AbortController();
    const waiting = budget.take(10, abort.signal);
    abort.abort(new Error('the client left'));
    await expect(waiting).rejects.toThrow('the client left');
    await expect(budget.take(10, abort.signal)).rejects.toThrow('the client left');
    held.release();
    expect(budget.freeBytes).toBe(100);
  });

  it('grows a lease only while there is room and nobody waits, and takes all of it back once', async () => {
    const budget = new MemoryBudget(100, 20);
    const lease = await budget.take(40, never);
    expect(lease.tryGrow(90)).toBe(true);
    expect(lease.tryGrow(101)).toBe(false);
    const waiting = budget.take(50, never);
    expect(lease.tryGrow(95)).toBe(false);
    lease.release();
    lease.release();
    expect((await waiting).memory).toHaveLength(50);
    expect(budget.freeBytes).toBe(50);
  });

  it('gives each transfer memory of its own, always of the same block', async () => {
    const budget = new MemoryBudget(100);
    const [first, second] = [await budget.take(40, never), await budget.take(60, never)];
    first.memory.fill(1);
    second.memory.fill(2);
    expect(first.memory.every((byte) => byte === 1)).toBe(true);
    const { buffer } = first.memory;
    first.release();
    expect(first.memory).toHaveLength(0);
    const third = await budget.take(30, never);
    third.memory.fill(3);
    expect(third.memory.buffer).toBe(buffer);
    expect(second.memory.every((byte) => byte === 2)).toBe(true);
  });

  it('refuses what it could never give', async () => {
    await expect(new MemoryBudget(100).take(101, never)).rejects.toBeInstanceOf(RangeError);
  });
});
