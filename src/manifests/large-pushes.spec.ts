import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { LargePushes } from './large-pushes.js';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

it('are stored one after the other for each principal, with a rest, and at once for another tenant', async () => {
  const pushes = new LargePushes();
  const begun: string[] = [];
  const stored: (() => void)[] = [];
  const push = (namespace: string): Promise<void> =>
    pushes.run({ namespace, principal: namespace }, 1, () => {
      begun.push(namespace);
      return new Promise<void>((resolve) => stored.push(resolve));
    });
  const all = [push('mallory'), push('mallory'), push('mallory'), push('alice')];
  await jest.advanceTimersByTimeAsync(100);
  expect(begun).toEqual(['mallory', 'alice']);
  stored[0]?.();
  await jest.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(['mallory', 'alice']);
  await jest.advanceTimersByTimeAsync(500);
  expect(begun).toEqual(['mallory', 'alice', 'mallory']);
  stored[1]?.();
  stored[2]?.();
  await jest.advanceTimersByTimeAsync(500);
  stored[3]?.();
  await Promise.all(all);
});
