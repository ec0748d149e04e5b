// once: its Redis is its own, and no store takes part in it
import { beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createClient } from 'redis';
import { signUp } from '../conformance/world.js';
import { eventually } from '../support/processes.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';

const PULLS = 100;
const ATTEMPTS = 3;
/** A hundredth of it is told to the other nodes at a time: so many requests have no part in it. */
const RATE_LIMIT = 2_000;
const TOLD_EVERY = RATE_LIMIT / 100;
/** Far within the life of a fact, so that all of them find what the first one left. */
const AT_ONCE = 20;

describe('a warm pull of a manifest by a logged-in user', () => {
  let redis: RedisServer;
  let registry: Registry;
  let alice: RegistryClient;
  let headers: Record<string, string>;

  beforeAll(async () => {
    redis = await startRedis();
    registry = await startRegistry({ redis: redis.url, env: { RATE_LIMIT_USER: `${RATE_LIMIT}` } });
    alice = await signUp(registry.client, 'alice');
    await alice.pushImage('alice/app', 'v1');
    headers = { authorization: `Bearer ${await alice.token('repository:alice/app:pull')}` };
    await untilRelayed(registry);
  }, 90_000);

  const pull = async (): Promise<void> => {
    await alice.raw('GET', '/v2/alice/app/manifests/v1', { headers, timeoutMs: 5_000 }).expect(200);
  };
  const pullMany = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, pull));
  };

  /** How often Redis was asked to do what, by the command's name. */
  async function commands(): Promise<Map<string, number>> {
    const client = createClient({ url: redis.url });
    client.on('error', () => undefined);
    await client.connect();
    const info = await client.info('commandstats');
    await client.disconnect();
    return new Map(
      [...info.matchAll(/^cmdstat_([\w|]+):calls=(\d+)/gm)].map(([, name = '', calls]) => [name, Number(calls)]),
    );
  }

  /** What Redis was asked for while many pulls found everything warm, and nobody could have asked PostgreSQL. */
  async function measure(): Promise<number[]> {
    await pull();
    const lock = await lockTables(registry);
    const before = await commands();
    try {
      await pullMany(PULLS);
    } finally {
      await lock.release();
    }
    const after = await commands();
    const names = ['mget', 'get', 'set', 'eval'];
    const calls = names.map((name) => (after.get(name) ?? 0) - (before.get(name) ?? 0));
    process.stderr.write(
      `  ${PULLS} pulls: ${names.map((name, i) => `${calls[i]} ${name.toUpperCase()}`).join(', ')}\n`,
    );
    return calls;
  }

  it('costs one command of the shared cache, and PostgreSQL nothing', async () => {
    // A busy machine may take longer than facts live: then they are asked for again, and that is not warm.
    let calls: number[] | null = null;
    for (let attempt = 1; calls === null || (attempt <= ATTEMPTS && !isWarm(calls)); attempt++) {
      calls = await measure().catch((error: unknown) => {
        if (attempt >= ATTEMPTS) throw error;
        return null;
      });
    }
    const [mget, get, set, evals = Infinity] = calls;
    // No pull waits for the EVALs, with a SET in each: what the rate limit has counted is told to the other nodes.
    expect([mget, get, set]).toEqual([PULLS, 0, evals]);
    expect(evals).toBeLessThanOrEqual(PULLS / TOLD_EVERY);
  }, 60_000);
});

function isWarm([mget, get]: readonly number[]): boolean {
  return mget === PULLS && get === 0;
}

/** What was written has been dropped once more, by the relay, which asks Redis for it: nothing of that is left to come. */
async function untilRelayed({ databaseUrl }: Registry): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl ?? '' });
  await client.connect();
  try {
    await eventually('the outbox is empty', async () => (await client.query('SELECT FROM outbox')).rowCount === 0);
  } finally {
    await client.end();
  }
}

/** Whoever looks into the tables of the path now waits for the release, and a pull that does has no answer in time. */
async function lockTables({ databaseUrl }: Registry): Promise<{ release(): Promise<void> }> {
  const client = new pg.Client({ connectionString: databaseUrl ?? '' });
  await client.connect();
  await client.query('BEGIN');
  await client.query('LOCK TABLE users, repos, repo_grants, org_members, tags, manifests IN ACCESS EXCLUSIVE MODE');
  return { release: () => client.end() };
}
