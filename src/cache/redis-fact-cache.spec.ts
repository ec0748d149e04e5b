import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Cache, createCache } from 'cache-manager';
import { eventually } from '../../test/support/processes.js';
import { redisAt, startRedis, type RedisServer, withRedis } from '../../test/support/redis.js';
import type { FactName, FactRequest } from './fact-cache.js';
import { FACT_TTL_MS, RedisFactCache } from './redis-fact-cache.js';
import { openRedis } from './redis-connection.js';

let server: RedisServer;
const open: Cache[] = [];

/** One node's view of the Redis that all share. */
function node(url = server.url): { facts: RedisFactCache; cache: Cache } {
  const cache = createCache({ stores: [openRedis(redisAt(url))] });
  open.push(cache);
  return { facts: new RedisFactCache(cache), cache };
}

async function connected(url?: string): Promise<{ facts: RedisFactCache; cache: Cache }> {
  const made = node(url);
  for (let i = 0; i < 100; i++) {
    const isUp = await made.cache.set('probe', 1, 1000).then(
      () => true,
      () => false,
    );
    if (isUp) return made;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('no connection to Redis');
}

/** A fact over a value that the test changes, counting how often it was read from there. */
function source(initial: string) {
  const name = randomBytes(6).toString('hex');
  const state = { value: initial, loads: 0 };
  const request: FactRequest<string> = {
    subject: `repo:${name}`,
    name: 'tag:latest',
    load: () => Promise.resolve((state.loads++, state.value)),
  };
  return { state, request };
}

/** A fact is stored behind the answer. */
function untilStored(cache: Cache, { subject, name }: FactName<unknown>): Promise<void> {
  const key = `aerugo:fact:${subject}:${name}`;
  return eventually('the fact is stored', async () => (await cache.get(key)) !== undefined);
}

/** A read whose load has begun, and ends when the test says with what. */
async function loading(facts: RedisFactCache, request: FactRequest<string>) {
  const [begun, loaded] = [Promise.withResolvers<undefined>(), Promise.withResolvers<string>()];
  const load = (): Promise<string> => {
    begun.resolve(undefined);
    return loaded.promise;
  };
  const slow = facts.read({ ...request, load });
  await begun.promise;
  return { slow, finish: loaded.resolve };
}

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await Promise.all(open.map((cache) => cache.disconnect()));
});

describe('RedisFactCache', () => {
  it('lets one node use what another has loaded', async () => {
    const [one, two] = [await connected(), await connected()];
    const { state, request } = source('a');
    expect(await one.facts.read(request)).toBe('a');
    await untilStored(two.cache, request);
    expect(await two.facts.read(request)).toBe('a');
    expect(state.loads).toBe(1);
  });

  it('asks for everything that is wanted at once in one command', async () => {
    const { facts, cache } = await connected();
    const [one, other] = [source('a'), source('b')];
    await Promise.all([facts.read(one.request), facts.read(other.request)]);
    await Promise.all([one, other].map(({ request }) => untilStored(cache, request)));
    const commands = jest.spyOn(cache, 'mget');
    const asked = [facts.read(one.request), facts.read(other.request), facts.read(one.request)];
    const peeked = [facts.peek(one.request), facts.peek({ ...other.request, name: 'tag:none' })];
    expect(await Promise.all([...asked, ...peeked])).toEqual(['a', 'b', 'a', 'a', undefined]);
    expect(commands).toHaveBeenCalledTimes(1);
    expect(commands.mock.calls[0]?.[0]).toHaveLength(5);
    await facts.read(one.request);
    expect(commands).toHaveBeenCalledTimes(2);
  });

  it('shows nothing of what was dropped, and asks no database', async () => {
    const { facts, cache } = await connected();
    const { state, request } = source('a');
    await facts.read(request);
    await untilStored(cache, request);
    expect(await facts.peek(request)).toBe('a');
    await facts.drop([request.subject]);
    expect(await facts.peek(request)).toBeUndefined();
    expect(state.loads).toBe(1);
  });

  it('shows a write to every node from the moment it is acknowledged, 200 rounds', async () => {
    const [one, two] = [await connected(), await connected()];
    const { state, request } = source('0');
    for (let round = 1; round <= 200; round++) {
      const under = two.facts.read(request); // a read that is under way while the write happens
      state.value = String(round);
      await one.facts.drop([request.subject]);
      expect(await two.facts.read(request)).toBe(String(round));
      await under;
    }
  });

  it('never stores under the new generation what was loaded before the write', async () => {
    const { facts, cache } = await connected();
    const { request } = source('unused');
    const { slow, finish } = await loading(facts, request);
    await facts.drop([request.subject]);
    finish('old');
    await slow;
    await untilStored(cache, request);
    expect(await facts.read({ ...request, load: () => Promise.resolve('new') })).toBe('new');
  });

  it('is not fooled by a Redis that lost its data', async () => {
    const { facts, cache } = await connected();
    const { state, request } = source('a');
    await facts.read(request);
    await cache.mdel([`aerugo:generation:${request.subject}`]);
    state.value = 'b';
    expect(await facts.read(request)).toBe('b');
  });

  it('shows nothing that was loaded under a generation that has expired meanwhile', async () => {
    const { facts, cache } = await connected();
    const { request } = source('unused');
    const { slow, finish } = await loading(facts, request);
    await cache.mdel([`aerugo:generation:${request.subject}`]); // as when its time is over
    finish('old');
    await slow;
    await untilStored(cache, request);
    expect(await facts.read({ ...request, load: () => Promise.resolve('new') })).toBe('new');
  });

  it('leaves nothing in Redis for longer than a minute, whatever names are asked for', async () => {
    const { facts, cache } = await connected();
    const { request } = source('a');
    const writes = jest.spyOn(cache, 'set');
    await facts.read(request);
    await facts.drop([request.subject]);
    expect(writes.mock.calls.length).toBeGreaterThan(2);
    for (const [, , ttl] of writes.mock.calls) expect(ttl).toBeLessThanOrEqual(60_000);
  });

  it('reads the database while Redis is away, makes a write wait out old facts, and recovers by itself', async () => {
    const own = await startRedis();
    const { facts } = await connected(own.url);
    const { state, request } = source('a');
    await facts.read(request);
    await expect(facts.check()).resolves.toBeUndefined();
    await own.stop();
    await expect(facts.check()).rejects.toThrow();
    state.value = 'b';
    expect(await facts.read(request)).toBe('b');

    const begun = Date.now();
    await facts.drop([request.subject]);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(FACT_TTL_MS - 50); // otherwise another node might still see it

    await startRedis({ port: own.port });
    const loads = async () => {
      const before = state.loads;
      await facts.read(request);
      await facts.read(request);
      return state.loads - before;
    };
    for (let i = 0; i < 100 && (await loads()) === 2; i++) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await loads()).toBe(0);
  }, 30_000);

  it('shows a write to every node also while Redis loses everything now and then, 200 rounds', async () => {
    const own = await startRedis();
    const [one, two] = [await connected(own.url), await connected(own.url)];
    const { state, request } = source('0');
    for (let round = 1; round <= 200; round++) {
      const under = two.facts.read(request);
      const flush = withRedis(own.port, (client) => client.flushAll());
      state.value = String(round);
      await one.facts.drop([request.subject]);
      expect(await two.facts.read(request)).toBe(String(round));
      await Promise.all([under, flush]);
    }
  });

  it('answers in time while Redis hangs, makes a write wait out old facts, and shows the new one after', async () => {
    const own = await startRedis();
    const [one, two] = [await connected(own.url), await connected(own.url)];
    const { state, request } = source('a');
    await one.facts.read(request);
    process.kill(own.process.pid, 'SIGSTOP');
    try {
      expect(await two.facts.read(request)).toBe('a');
      state.value = 'b';
      const begun = Date.now();
      await one.facts.drop([request.subject]);
      expect(Date.now() - begun).toBeGreaterThanOrEqual(FACT_TTL_MS - 50);
    } finally {
      process.kill(own.process.pid, 'SIGCONT');
    }
    // What was sent to it before it stood still takes effect now.
    for (let i = 0; i < 20; i++) {
      expect(await two.facts.read(request)).toBe('b');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, 30_000);
});
