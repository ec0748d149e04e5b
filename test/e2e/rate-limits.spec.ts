// once: its Redis is its own, and no store takes part in it
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { signUp } from '../conformance/world.js';
import type { Headers, Reply } from '../support/http-exchange.js';
import { eventually } from '../support/processes.js';
import { startRedis, withRedis } from '../support/redis.js';
import { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { startEmbedded } from './start-to-end.js';

jest.setTimeout(90_000);

const NODES = 3;
const USER_LIMIT = 300;
const ADDRESS_LIMIT = 40;
const TOKEN_LIMIT = 20;
/** What one process may have counted that the others do not know yet: a hundredth of the limit. */
const STEP = USER_LIMIT / 100;
const AT_ONCE = 6;
const LIMITS = {
  RATE_LIMIT_USER: `${USER_LIMIT}`,
  RATE_LIMIT_ADDRESS: `${ADDRESS_LIMIT}`,
  RATE_LIMIT_TOKEN: `${TOKEN_LIMIT}`,
};

const basic = (username: string, password: string): Headers => ({
  authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
});
const from = (address: string, headers: Headers = {}): Headers => ({ ...headers, 'x-forwarded-for': address });
const passed = (replies: readonly Reply[]): number => replies.filter(({ status }) => status !== 429).length;

function aToken(client: RegistryClient, headers: Headers): PromiseLike<Reply> {
  return client.raw('GET', '/api/v1/auth/token', { headers });
}

/**
 * So many requests, each to the next of the clients, some at once; the next ones when the nodes have told what they
 * counted of these.
 */
async function ask(
  clients: readonly RegistryClient[],
  count: number,
  one: (client: RegistryClient, i: number) => PromiseLike<Reply>,
  isTold: (passed: number) => Promise<boolean> = () => Promise.resolve(true),
): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (let i = 0; i < count; i += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - i) }, (_, k) => i + k);
    const client = (k: number): RegistryClient => clients[k % clients.length] ?? expectClient();
    replies.push(...(await Promise.all(some.map((k) => one(client(k), k)))));
    await eventually('every node has told', () => isTold(passed(replies)));
  }
  return replies;
}

function expectClient(): never {
  throw new Error('no client');
}

describe('rate limits of three nodes', () => {
  let first: Registry;
  let clients: RegistryClient[];
  let redisPort: number;

  beforeAll(async () => {
    const { url, port } = await startRedis();
    redisPort = port;
    const env = { ...LIMITS, TRUSTED_PROXIES: 'loopback', RATE_LIMIT_EXEMPT: '198.51.100.0/24' };
    first = await startRegistry({ redis: url, env });
    const others = await Promise.all(Array.from({ length: NODES - 1 }, () => startRegistry({ like: first })));
    clients = [first, ...others].map(({ client }) => client);
    for (const name of ['alice', 'bob', 'carol']) await signUp(first.client, name);
  }, 90_000);

  /** Whether Redis knows of all that passed from now on, but for what a node may keep to itself. */
  const telling = async (limit: string, points: number): Promise<(passed: number) => Promise<boolean>> => {
    const sum = () =>
      withRedis(redisPort, async (redis) => {
        const keys = await redis.keys(`aerugo:limit:${limit}:*`);
        const counts = keys.length === 0 ? [] : await redis.mGet(keys);
        return counts.reduce((total, count) => total + Number(count), 0);
      });
    const before = await sum();
    const untold = NODES * (Math.ceil(points / 100) - 1);
    return async (passed) => (await sum()) - before >= passed - untold;
  };

  const bearer = async (username: string): Promise<Headers> => {
    const reply = await aToken(first.client, from('198.51.100.1', basic(username, `${username}-long-password-1`)));
    return { authorization: `Bearer ${reply.json<{ token: string }>().token}` };
  };

  it('hold for a user on all of them together, and say so in the format of each interface', async () => {
    const headers = await bearer('alice');
    const isTold = await telling('user', USER_LIMIT);
    const replies = await ask(clients, USER_LIMIT + 100, (client) => client.raw('GET', '/v2/', { headers }), isTold);
    process.stderr.write(`  limit ${USER_LIMIT}, ${NODES} nodes: ${passed(replies)} requests passed\n`);
    expect(passed(replies)).toBeGreaterThanOrEqual(USER_LIMIT);
    expect(passed(replies)).toBeLessThanOrEqual(USER_LIMIT + NODES * STEP + AT_ONCE);
    const told = {
      'retry-after': /^[1-9]\d?$/,
      'ratelimit-policy': `"user";q=${USER_LIMIT};w=60`,
      ratelimit: /^"user";r=0;t=[1-9]\d?$/,
    };
    for (const client of clients) {
      await client.raw('GET', '/v2/', { headers }).expect(429, { code: 'TOOMANYREQUESTS', headers: told });
    }
    const problem = await first.client
      .raw('GET', '/api/v1/auth/me', { headers: await bearer('alice') })
      .expect(429, { headers: { ...told, 'content-type': 'application/problem+json' } });
    expect(problem.json()).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    // Somebody else has a limit of their own.
    await first.client.raw('GET', '/v2/', { headers: await bearer('bob') }).expect(200);
  });

  it('tell a client what is left before it meets them', async () => {
    const headers = await bearer('carol');
    const replies = await ask([first.client], USER_LIMIT, (client) => client.raw('GET', '/v2/', { headers }));
    const left = replies.map((reply) => /^"user";r=(\d+);t=\d+$/.exec(reply.header('ratelimit') ?? '')?.[1]);
    expect(left[0]).toBeUndefined();
    expect(Number(left.at(-1))).toBeLessThan(AT_ONCE);
  });

  it.each([
    ['an IPv4 address', '192.0.2.1', '192.0.2.1', '192.0.2.2'],
    ['an IPv6 /64', '2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:3::1'],
  ])('hold for %s without credentials', async (_what, one, same, other) => {
    const challenge = (address: string): PromiseLike<Reply> =>
      first.client.raw('GET', '/v2/', { headers: from(address) });
    const replies = await ask(
      clients,
      ADDRESS_LIMIT + 30,
      (client, i) => client.raw('GET', '/v2/', { headers: from(i % 2 === 0 ? one : same) }),
      await telling('address', ADDRESS_LIMIT),
    );
    expect(passed(replies)).toBeGreaterThanOrEqual(ADDRESS_LIMIT);
    expect(passed(replies)).toBeLessThanOrEqual(ADDRESS_LIMIT + NODES + AT_ONCE);
    expect((await challenge(other)).status).toBe(401);
    // Whoever has credentials is not their neighbours' fault.
    const headers = from(one, await bearer('bob'));
    await first.client.raw('GET', '/v2/', { headers }).expect(200);
    // Wrong ones buy nothing.
    await first.client.raw('GET', '/v2/', { headers: from(one, { authorization: 'Bearer no-token' }) }).expect(429);
  });

  it.each([
    ['the port of each connection', '203.0.113.77', (i: number) => `203.0.113.77:${40_000 + i}`],
    ['it in brackets', '2001:db8:77::1', (i: number) => `[2001:db8:77::1]:${40_000 + i}`],
    ['what is no address', 'made-up', (i: number) => `made-up-${i}`],
  ])('hold for an address to which a proxy adds %s', async (_, plain, shown) => {
    await ask(clients, 3 * ADDRESS_LIMIT, (client, i) => client.raw('GET', '/v2/', { headers: from(shown(i)) }));
    for (const client of clients) await client.raw('GET', '/v2/', { headers: from(plain) }).expect(429);
  });

  it('leave networks alone that are exempt', async () => {
    const headers = from('198.51.100.7');
    const replies = await ask(clients, 2 * ADDRESS_LIMIT, (client) => client.raw('GET', '/v2/', { headers }));
    expect(passed(replies)).toBe(2 * ADDRESS_LIMIT);
  });

  it('hold for tokens of an address, whoever asks, in words that docker shows', async () => {
    const isTold = await telling('token-address', TOKEN_LIMIT);
    const replies = await ask(clients, TOKEN_LIMIT + 20, (client) => aToken(client, from('192.0.2.50')), isTold);
    expect(passed(replies)).toBeGreaterThanOrEqual(TOKEN_LIMIT);
    expect(passed(replies)).toBeLessThanOrEqual(TOKEN_LIMIT + NODES + AT_ONCE);
    const refused = await aToken(first.client, from('192.0.2.50'));
    expect(refused.json()).toMatchObject({
      code: 'RATE_LIMITED',
      errors: [
        {
          code: 'TOOMANYREQUESTS',
          message: expect.stringMatching(/^rate limit exceeded: \d+ requests for tokens from this address in 60 s/),
        },
      ],
    });
  });

  it('hold for routes that look at nobody’s credentials', async () => {
    const logout = (client: RegistryClient): PromiseLike<Reply> =>
      client.raw('POST', '/api/v1/auth/logout', {
        headers: from('192.0.2.51', { 'content-type': 'application/json' }),
        body: JSON.stringify({ refresh_token: 'of-nobody' }),
      });
    const describe = (client: RegistryClient): PromiseLike<Reply> =>
      client.raw('GET', '/api/docs-json', { headers: from('192.0.2.52') });
    const tokens = await ask(clients, TOKEN_LIMIT + 20, logout, await telling('token-address', TOKEN_LIMIT));
    expect(passed(tokens)).toBeGreaterThanOrEqual(TOKEN_LIMIT);
    expect(passed(tokens)).toBeLessThanOrEqual(TOKEN_LIMIT + NODES + AT_ONCE);
    const pages = await ask(clients, ADDRESS_LIMIT + 20, describe, await telling('address', ADDRESS_LIMIT));
    expect(passed(pages)).toBeGreaterThanOrEqual(ADDRESS_LIMIT);
    expect(passed(pages)).toBeLessThanOrEqual(ADDRESS_LIMIT + NODES + AT_ONCE);
  });

  it('hold for tokens of an account, wherever it asks from, and nobody else can use them up', async () => {
    const own = basic('bob', 'bob-long-password-1');
    const replies = await ask(
      clients,
      TOKEN_LIMIT + 20,
      (client, i) => aToken(client, from(`192.0.3.${i}`, own)),
      await telling('token-account', TOKEN_LIMIT),
    );
    expect(passed(replies)).toBeGreaterThanOrEqual(TOKEN_LIMIT);
    expect(passed(replies)).toBeLessThanOrEqual(TOKEN_LIMIT + NODES + AT_ONCE);
    const guess = basic('carol', 'not-her-password');
    await ask(clients, TOKEN_LIMIT + 20, (client, i) => aToken(client, from(`192.0.4.${i}`, guess)));
    expect((await aToken(first.client, from('192.0.2.60', basic('carol', 'carol-long-password-1')))).status).toBe(200);
  });

  it('count failed logins exactly, whichever node they come to', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const reply = await clients[i % NODES]?.raw('GET', '/v2/', { headers: from('192.0.2.70', basic('carol', 'no')) });
      statuses.push(reply?.status ?? 0);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429, 429]);
  });
});

describe('rate limits of one node with workers and no proxy', () => {
  let registry: Registry;

  beforeAll(async () => {
    registry = await startEmbedded({ ...LIMITS, WORKERS: '2' });
  }, 90_000);

  /** Connections, of which each worker has some. One that has just begun to listen may take none for a moment. */
  async function connectToBoth(): Promise<RegistryClient[]> {
    let clients: RegistryClient[] = [];
    let attempts = 0;
    await eventually('both workers get a connection', async () => {
      for (const client of clients) client.close();
      clients = Array.from({ length: 8 }, () => new RegistryClient({ url: registry.url }));
      attempts += 1;
      const workers = await Promise.all(clients.map((client, at) => workerBehind(client, `probe-${attempts}-${at}`)));
      return new Set(workers).size === 2;
    });
    return clients;
  }

  async function workerBehind(client: RegistryClient, id: string): Promise<unknown> {
    await client.raw('GET', '/nothing', { headers: { 'user-agent': id } }).expect(404); // probes have no line
    const line = (): Record<string, unknown> | undefined => registry.events().find(({ agent }) => agent === id);
    await eventually('the request is in the log', () => line() !== undefined);
    return line()?.['worker'];
  }

  /**
   * A write is acknowledged when both workers have heard of it, on the way that counts take too: after two, both have
   * the answer to what they told the primary before, and after two more to what they had counted meanwhile.
   */
  async function isTold(): Promise<boolean> {
    for (const displayName of ['A', 'B', 'C', 'D'])
      await registry.client.api('PATCH', '/api/v1/users/admin', { displayName }).expect(200);
    return true;
  }

  it('hold for the workers together, and take no address from a header that anybody can write', async () => {
    const clients = await connectToBoth();
    const replies = await ask(
      clients,
      ADDRESS_LIMIT + 40,
      (client, i) => client.raw('GET', '/v2/', { headers: from(`192.0.2.${i}`) }),
      isTold,
    );
    for (const client of clients) client.close();
    expect(passed(replies)).toBeGreaterThanOrEqual(ADDRESS_LIMIT);
    expect(passed(replies)).toBeLessThanOrEqual(ADDRESS_LIMIT + 2 + AT_ONCE);
  });
});
