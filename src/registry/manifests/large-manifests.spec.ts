import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { LargeManifests } from './large-manifests.js';

const STAYS = new AbortController().signal;

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

it('are stored one after the other for each principal, with a rest, and at once for another tenant', async () => {
  const pushes = new LargeManifests();
  const begun: string[] = [];
  const stored: (() => void)[] = [];
  const push = (namespace: string): Promise<void> =>
    pushes.run({ namespace, principal: namespace }, 1, STAYS, () => {
      begun.push(namespace);
      return new Promise<void>((resolve) => stored.push(resolve));
    });
  const all = [push('mallory'), push('mallory'), push('mallory'), push('alice')];
  await jest.advanceTimersByTimeAsync(100);
  expect(begun).toEqual(['mallory', 'alice']);
  stored[0]?.();
  await jest.advanceTimersByTimeAsync(199);
  expect(begun).toEqual(['mallory', 'alice']);
  await jest.advanceTimersByTimeAsync(1);
  expect(begun).toEqual(['mallory', 'alice', 'mallory']);
  stored[1]?.();
  stored[2]?.();
  await jest.advanceTimersByTimeAsync(1_000);
  stored[3]?.();
  await Promise.all(all);
});

it('wait no longer than their clients', async () => {
  const pushes = new LargeManifests();
  const client = new AbortController();
  const share = { namespace: 'mallory', principal: 'mallory' };
  const first = pushes.run(share, 1, STAYS, () => new Promise<void>((resolve) => setTimeout(resolve, 1_000)));
  const work = jest.fn(() => Promise.resolve());
  const waiting = pushes.run(share, 1, client.signal, work);
  client.abort(new Error('the client left'));
  await expect(waiting).rejects.toThrow('the client left');
  await jest.advanceTimersByTimeAsync(10_000);
  await first;
  expect(work).not.toHaveBeenCalled();
});

it('keep no process from its end while they rest', async () => {
  jest.useRealTimers();
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const share = { namespace: 'alice', principal: 'alice' };
  await new LargeManifests().run(share, 1, STAYS, () => new Promise((resolve) => setTimeout(resolve, 50)));
  expect(timers()).toBe(before);
});
