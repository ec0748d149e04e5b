import { describe, expect, it } from '@jest/globals';
import type { Share } from '../fairness/share.js';
import { MemoryBudget } from './memory-budget.js';
import { StoreBusy } from './storage-errors.js';

const never = new AbortController().signal;
const [ALICE, BOB, CAROL]: Share[] = ['alice', 'bob', 'carol'].map((name) => ({ namespace: name, principal: name }));

describe('the memory budget', () => {
  it('serves a tenant who holds nothing before others, even when a later one would fit', async () => {
    const budget = new MemoryBudget(100);
    const first = await budget.take(60, never, ALICE);
    const order: string[] = [];
    const large = budget.take(80, never, BOB).then((lease) => (order.push('large'), lease));
    const small = budget.take(10, never, CAROL).then((lease) => (order.push('small'), lease));
    expect(budget.waiting).toBe(2);
    expect(budget.tryLease(1, CAROL)).toBeNull();
    first.release();
    await Promise.all([large, small]);
    expect(order).toEqual(['large', 'small']);
    expect(budget.freeBytes).toBe(10);
  });

  it('leaves room to others while one tenant sends what it can', async () => {
    const budget = new MemoryBudget(96, 20);
    const taken = await Promise.allSettled(Array.from({ length: 40 }, () => budget.take(8, never, ALICE)));
    expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
    expect(await budget.take(32, never, BOB)).toBeDefined();
  });

  it('gives memory for first bytes as long as their wholes have room, too', () => {
    const budget = new MemoryBudget(100);
    const first = budget.tryFirst(1, 10, ALICE);
    expect(first?.memory).toHaveLength(1);
    expect(budget.tryFirst(1, 50, ALICE)).toBeNull();
    budget.tryLease(30, ALICE);
    expect(budget.tryFirst(1, 8, BOB)).not.toBeNull();
    budget.tryLease(30, BOB);
    expect(budget.tryFirst(1, 1, CAROL)).toBeNull(); // less than half is free
  });

  it('ends a transfer whose client has stalled for one that waits', async () => {
    const budget = new MemoryBudget(100, 40);
    const [slow, fast] = [await budget.take(40, never, ALICE), await budget.take(60, never, BOB)];
    fast.progress = { isStalled: () => false, end: () => undefined };
    slow.progress = {
      isStalled: () => true,
      end: () => {
        slow.release();
      },
    };
    expect((await budget.take(10, never, CAROL)).memory).toHaveLength(10);
  });

  it('gives up after the longest wait, and lets the next one pass', async () => {
    const budget = new MemoryBudget(100, 20);
    const held = await budget.take(60, never, ALICE);
    const large = budget.take(80, never, BOB);
    const small = budget.take(10, never, CAROL);
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
    const lease = await budget.take(20, never, ALICE);
    expect(lease.tryGrow(60)).toBe(true);
    expect(lease.tryGrow(90)).toBe(false);
    const waiting = budget.take(70, never, BOB);
    expect(lease.tryGrow(61)).toBe(false);
    lease.release();
    lease.release();
    expect((await waiting).memory).toHaveLength(70);
    expect(budget.freeBytes).toBe(30);
  });

  it('gives each transfer memory of its own, always of the same block', async () => {
    const budget = new MemoryBudget(100);
    const [first, second] = [await budget.take(40, never, ALICE), await budget.take(60, never, BOB)];
    first.memory.fill(1);
    second.memory.fill(2);
    expect(first.memory.every((byte) => byte === 1)).toBe(true);
    const { buffer } = first.memory;
    first.release();
    expect(first.memory).toHaveLength(0);
    const third = await budget.take(30, never, CAROL);
    third.memory.fill(3);
    expect(third.memory.buffer).toBe(buffer);
    expect(second.memory.every((byte) => byte === 2)).toBe(true);
  });

  it('refuses what it could never give', async () => {
    await expect(new MemoryBudget(100).take(101, never)).rejects.toBeInstanceOf(RangeError);
  });
});
