import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RateLimiterRes } from 'rate-limiter-flexible';
import { eventually } from '../../test/support/processes.js';
import { redisAt, type RedisServer, startRedis } from '../../test/support/redis.js';
import { Limiters } from './limiters.js';
import { linkRedis } from './redis-connection.js';
import type { RedisLink } from './redis-link.js';

const LIMIT = { name: 'guesses', points: 10, windowSeconds: 60 };
const links: RedisLink[] = [];
let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => {
  for (const link of links) link.close();
});

/** What counts on one node. */
async function node(): Promise<Limiters> {
  const link = linkRedis(redisAt(redis.url));
  links.push(link);
  await eventually('the connection to Redis', () => {
    try {
      return Boolean(link.commands);
    } catch {
      return false;
    }
  });
  return new Limiters(() => link.commands);
}

function consume(limiter: ReturnType<Limiters['open']>, key: string): Promise<boolean> {
  return limiter.all.consume(key).then(
    () => true,
    (error: unknown) => {
      if (error instanceof RateLimiterRes) return false;
      throw error;
    },
  );
}

describe('the limiters of two nodes', () => {
  it('count together and exactly, many at once', async () => {
    const limiters = [(await node()).open(LIMIT), (await node()).open(LIMIT)];
    const attempts = Array.from({ length: 40 }, (_, i) => limiters[i % 2]).flatMap((limiter) => limiter ?? []);
    const passed = await Promise.all(attempts.map((limiter) => consume(limiter, 'alice')));
    expect(passed.filter(Boolean)).toHaveLength(LIMIT.points);
  });

  it('take back and forget together', async () => {
    const [first, second] = [(await node()).open(LIMIT), (await node()).open(LIMIT)];
    for (let i = 0; i < LIMIT.points; i++) await consume(first, 'bob');
    expect(await consume(second, 'bob')).toBe(false);
    await first.all.reward('bob', 2);
    expect(await consume(second, 'bob')).toBe(true);
    await second.all.delete('bob');
    expect(await first.all.get('bob')).toBeNull();
  });

  it('tell each other what was counted, and until when', async () => {
    const [first, second] = [(await node()).openShared(LIMIT), (await node()).openShared(LIMIT)];
    await first?.('carol', 7);
    const counted = await second?.('carol', 5);
    expect(counted?.points).toBe(12);
    expect(counted?.milliseconds).toBeLessThanOrEqual(60_000);
    expect(counted?.milliseconds).toBeGreaterThan(50_000);
  });

  it('count each for itself while Redis hangs, without waiting for it for long, and while it is away', async () => {
    const limiters = await node();
    const [limiter, tell] = [limiters.open(LIMIT), limiters.openShared(LIMIT)];
    redis.process.kill('SIGSTOP');
    const passed = await Promise.all(Array.from({ length: 15 }, () => consume(limiter, 'dave')));
    expect(passed.filter(Boolean)).toHaveLength(LIMIT.points);
    await expect(tell?.('dave', 1)).rejects.toThrow();
    redis.process.kill('SIGCONT');
    await redis.stop();
    expect(await consume(limiter, 'dave')).toBe(false);
    await expect(tell?.('dave', 1)).rejects.toThrow();
  }, 30_000);
});

it('without Redis a process counts for itself, and has nobody to tell', async () => {
  const limiters = new Limiters(null);
  const limiter = limiters.open(LIMIT);
  const passed = await Promise.all(Array.from({ length: 15 }, () => consume(limiter, 'alice')));
  expect(passed.filter(Boolean)).toHaveLength(LIMIT.points);
  expect(limiters.openShared(LIMIT)).toBeNull();
});
