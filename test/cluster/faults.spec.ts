// needs: nginx
import { beforeAll, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from './cluster.js';
import { leftoversOf } from './leftovers.js';
import { Load } from './load.js';
import { mebibytes, report, seconds } from './report.js';
import { PATIENCE_MS, scale } from './scale.js';
import { verify } from './verify.js';

const ANSWER_MS = 15_000;
const RECOVERY_MS = 10_000;
const { redisSeconds, storeSeconds, rounds, calmSeconds } = scale.faults;

interface Fault {
  readonly name: string;
  /** Resolves when the fault is over. */
  readonly happen: () => Promise<void>;
}

let cluster: Cluster;
let load: Load;

const REDIS: Fault = {
  name: 'Redis stopped',
  happen: async () => {
    await cluster.stopRedis();
    await sleep(redisSeconds * 1_000);
    await cluster.startRedisAgain();
  },
};
const DATABASE: Fault = { name: 'PostgreSQL restarted', happen: () => cluster.postgres.restart() };
const STORE: Fault = {
  name: 'S3 paused',
  happen: async () => {
    cluster.freezeStore();
    await sleep(storeSeconds * 1_000).finally(() => {
      cluster.thawStore();
    });
  },
};
const FAULTS = [...Array.from({ length: rounds }, () => [REDIS, DATABASE]).flat(), STORE];
/** What the faults last, with the time in which the cluster may recover from each. */
const LOAD_SECONDS = rounds * (redisSeconds + 4) + storeSeconds + FAULTS.length * (calmSeconds + 2);

beforeAll(async () => {
  cluster = await Cluster.start();
  const { url, credentials } = cluster;
  const { clients, images, largestLayer } = scale;
  load = new Load({ url, credentials, clients, images, largestLayer, seconds: LOAD_SECONDS, name: 'faults' });
}, PATIENCE_MS);

it(
  'loses nothing while Redis, PostgreSQL and the store fail in turn, and refuses cleanly meanwhile',
  async () => {
    const running = load.run();
    const recoveries = strike();
    await Promise.all([running, recoveries]);
    const { lost, corrupt, checked } = await verify(cluster, load.acknowledged);
    const { log } = load;
    report('faults', {
      images: load.acknowledged.images.length,
      bytes: mebibytes(load.bytes),
      pulls: load.pulls,
      requests: log.requests,
      'failed requests': log.failed,
      'not cleanly': log.unclean.length,
      'latest failure': seconds(log.longestFailureMs),
      retries: log.retries,
      'checks afterwards': checked,
      lost: lost.length,
      corrupt: corrupt.length,
    });
    expect({ lost, corrupt, unclean: log.unclean }).toEqual({ lost: [], corrupt: [], unclean: [] });
    expect(log.longestFailureMs).toBeLessThan(ANSWER_MS);
    expect(load.acknowledged.images).toHaveLength(scale.images);
    for (const { name, tookMs } of await recoveries)
      expect({ name, inTime: tookMs < RECOVERY_MS }).toEqual({ name, inTime: true });
  },
  PATIENCE_MS,
);

it(
  'and leaves nothing in the bucket that no row names',
  async () => {
    const left = await leftoversOf(cluster);
    report('faults: the bucket', { objects: left.objects, blobs: left.blobs, multiparts: left.multiparts });
    expect(left).toEqual({ ...left, multiparts: 0, liveUploads: 0, unnamed: [], missing: [] });
  },
  PATIENCE_MS,
);

async function strike(): Promise<{ name: string; tookMs: number }[]> {
  const recoveries: { name: string; tookMs: number }[] = [];
  for (const { name, happen } of FAULTS) {
    await sleep(calmSeconds * 1_000);
    await happen();
    const started = Date.now();
    await Promise.all(cluster.nodes.map((_, at) => serving(at, started + 3 * RECOVERY_MS)));
    const tookMs = Date.now() - started;
    recoveries.push({ name, tookMs });
    report(`faults: ${name}`, { 'every node serves again after': seconds(tookMs) });
  }
  return recoveries;
}

/** Resolves once the node says that it is ready, and a push and a pull through it succeed. */
async function serving(at: number, deadline: number): Promise<void> {
  const { client } = cluster.node(at);
  for (;;) {
    try {
      await client.raw('GET', '/readyz').expect(200);
      const repository = `${cluster.credentials.username}/recovery-${at}`;
      const { digest, layers } = await client.pushImage(repository, 'v1', { layers: [randomBytes(100_000)] });
      await client.getManifest(repository, 'v1').expect(200, { digest });
      for (const layer of layers) await client.pullBlob(repository, layer.digest);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}
