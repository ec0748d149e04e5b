import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cache, createCache } from 'cache-manager';
import { eventually } from '../../test/support/processes.js';
import { redisAt } from '../../test/support/redis.js';
import { type RedisCluster, startRedisCluster, startSentinels } from '../../test/support/redis-cluster.js';
import type { RedisConfig } from '../config/config-values.js';
import type { Subject } from './fact-cache.js';
import { RedisFactCache } from './redis-fact-cache.js';
import { openRedis } from './redis-connection.js';

jest.setTimeout(60_000);

const open: Cache[] = [];

afterAll(async () => {
  await Promise.all(open.map((cache) => cache.disconnect()));
});

function node(config: RedisConfig): RedisFactCache {
  const cache = createCache({ stores: [openRedis(config)] });
  open.push(cache);
  return new RedisFactCache(cache);
}

/** Rows of a database, and how often they were read there. */
class Rows {
  loads = 0;
  private readonly values = new Map<Subject, number>();

  read(facts: RedisFactCache, subject: Subject): number | Promise<number> {
    const load = (): Promise<number> => Promise.resolve((this.loads++, this.values.get(subject) ?? 0));
    return facts.read({ subject, name: 'value', load });
  }

  async write(facts: RedisFactCache, subject: Subject): Promise<number> {
    const value = (this.values.get(subject) ?? 0) + 1;
    this.values.set(subject, value);
    await facts.drop([subject]);
    return value;
  }
}

/** Both nodes use what the other has loaded. */
async function areShared(nodes: readonly RedisFactCache[]): Promise<void> {
  await eventually(
    'facts are shared',
    async () => {
      const subject: Subject = `repo:${randomBytes(6).toString('hex')}`;
      const rows = new Rows();
      for (const facts of nodes) {
        await rows.read(facts, subject);
        await sleep(20);
      }
      return rows.loads === 1;
    },
    40_000,
  );
}

/** New subjects whose facts the first node has loaded and the second is shown, which loads nothing for it. */
async function stored(rows: Rows, [first, second]: Nodes): Promise<Subject[]> {
  let subjects: Subject[] = [];
  const isShown = async (subject: Subject): Promise<boolean> =>
    (await second.peek({ subject, name: 'value' })) !== undefined;
  await eventually(
    'facts of several subjects are stored',
    async () => {
      subjects = Array.from({ length: 20 }, (): Subject => `user:${randomBytes(6).toString('hex')}`);
      await Promise.all(subjects.map(async (subject) => rows.read(first, subject)));
      return (await Promise.all(subjects.map(isShown))).every(Boolean);
    },
    40_000,
  );
  return subjects;
}

/** Writes at one node and reads at both until `isOver`; what was older than an acknowledged write comes back. */
async function underLoad(rows: Rows, nodes: readonly RedisFactCache[], isOver: () => boolean): Promise<string[]> {
  const stale: string[] = [];
  const subjects = Array.from({ length: 12 }, (): Subject => `repo:${randomBytes(6).toString('hex')}`);
  const acknowledged = new Map<Subject, number>();
  const work = subjects.flatMap((subject, at) => [
    (async () => {
      while (!isOver()) {
        acknowledged.set(subject, await rows.write(nodes[at % nodes.length] as RedisFactCache, subject));
        await sleep(20);
      }
    })(),
    ...nodes.map(async (facts, reader) => {
      while (!isOver()) {
        const least = acknowledged.get(subject) ?? 0;
        const seen = await rows.read(facts, subject);
        if (seen < least) stale.push(`node ${reader} showed ${seen} after ${least}`);
        await sleep(5);
      }
    }),
  ]);
  await Promise.all(work);
  return stale;
}

// Those that fail over wait more than they work, so they do it at once; the first asserts what is quick, and is alone.
describe('facts in a Redis that has replicas', () => {
  it('are shared, also of several subjects at once, which a cluster keeps in several places', async () => {
    const { nodes, rows } = await inCluster();
    const subjects = await stored(rows, nodes);
    const before = rows.loads;
    await Promise.all(subjects.map(async (subject) => rows.read(nodes[1], subject)));
    expect(rows.loads).toBe(before);
    const [subject] = subjects as [Subject];
    await rows.write(nodes[0], subject);
    expect(await rows.read(nodes[1], subject)).toBe(1);
  });

  it.concurrent('are not revived by one that missed the last write and takes the place of its master', async () => {
    const { cluster, nodes, rows } = await inCluster();
    let subject: Subject;
    do subject = `repo:${randomBytes(6).toString('hex')}`;
    while ((await cluster.masterOf(`aerugo:generation:${subject}`)) !== 0);
    await rows.read(nodes[0], subject);
    await sleep(100); // for the copy
    process.kill(cluster.replica.process.pid, 'SIGSTOP');
    await cluster.cutReplica();
    const acknowledged = await rows.write(nodes[1], subject);
    await cluster.masters[0]?.kill();
    process.kill(cluster.replica.process.pid, 'SIGCONT');
    await cluster.takeOver();
    const seen = new Set<number>();
    const sharing = new AbortController();
    const shared = areShared(nodes).finally(() => {
      sharing.abort();
    });
    while (!sharing.signal.aborted) {
      for (const facts of nodes) seen.add(await rows.read(facts, subject));
      await sleep(1);
    }
    await shared;
    expect([...seen]).toEqual([acknowledged]);
  });

  it.concurrent('are never older than an acknowledged write while a cluster elects another master', async () => {
    const { cluster, nodes, rows } = await inCluster();
    expect(await throughout(rows, nodes, async () => cluster.masters[0]?.kill())).toEqual([]);
  });

  it.concurrent('are never older than an acknowledged write while Sentinels elect another master', async () => {
    const { master, urls } = await startSentinels();
    const config = redisAt('', { mode: 'sentinel', urls });
    const nodes: Nodes = [node(config), node(config)];
    const rows = new Rows();
    await areShared(nodes);
    expect(await throughout(rows, nodes, () => master.kill())).toEqual([]);
  });
});

type Nodes = [RedisFactCache, RedisFactCache];

async function inCluster(): Promise<{ cluster: RedisCluster; nodes: Nodes; rows: Rows }> {
  const cluster = await startRedisCluster();
  const config = redisAt('', { mode: 'cluster', urls: cluster.urls });
  const nodes: Nodes = [node(config), node(config)];
  const rows = new Rows();
  await areShared(nodes);
  return { cluster, nodes, rows };
}

/** What was too old while this failed, from a moment before until facts are shared again. */
async function throughout(rows: Rows, nodes: Nodes, fail: () => Promise<void>): Promise<string[]> {
  let isOver = false;
  const load = underLoad(rows, nodes, () => isOver);
  await sleep(1_000);
  await fail();
  await areShared(nodes).finally(() => (isOver = true));
  return load;
}
