// needs: nginx
import { beforeAll, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { nextVersion } from '../support/other-build.js';
import { Cluster } from './cluster.js';
import { Load } from './load.js';
import { mebibytes, report } from './report.js';
import { PATIENCE_MS, scale } from './scale.js';
import { verify } from './verify.js';

/** What a release may add: a table, and columns and an index on tables that are in use all the time. */
const EXPAND = {
  name: 'Expand',
  up: [
    'CREATE TABLE new_things (id bigint PRIMARY KEY, name text)',
    'ALTER TABLE uploads ADD COLUMN new_fact text',
    'ALTER TABLE manifests ADD COLUMN new_fact integer NOT NULL DEFAULT 0',
    'ALTER TABLE tags ADD COLUMN new_fact text',
    'CREATE INDEX tags_new_fact_idx ON tags (new_fact)',
  ],
};

let cluster: Cluster;
let load: Load;
let isRollingOut = true;

beforeAll(async () => {
  cluster = await Cluster.start();
  const { clients, rolling } = scale;
  const { url, credentials } = cluster;
  load = new Load({ url, credentials, clients, ...rolling, goesOn: () => isRollingOut, name: 'rolling' });
}, PATIENCE_MS);

it(
  'goes from one version to the next, and one node back again, without a push or a pull that fails',
  async () => {
    const running = load.run().then(
      () => null,
      (error: unknown) => String(error),
    );
    try {
      await rollOut(nextVersion(EXPAND));
      // Whoever does not like the new version goes back: the old one starts on the new schema.
      await cluster.updateNode(0);
    } finally {
      isRollingOut = false;
    }
    const failure = await running;

    const { lost, corrupt, checked } = await verify(cluster, load.acknowledged);
    report('rolling', {
      'nodes replaced': cluster.nodes.length + 1,
      images: load.acknowledged.images.length,
      bytes: mebibytes(load.bytes),
      pulls: load.pulls,
      requests: load.log.requests,
      'failed requests': load.log.failed,
      retries: load.log.retries,
      'failed pushes and pulls': failure ?? 0,
      'checks afterwards': checked,
      lost: lost.length,
      corrupt: corrupt.length,
    });
    expect(failure).toBeNull();
    expect({ lost, corrupt }).toEqual({ lost: [], corrupt: [] });
    expect(load.acknowledged.images).toHaveLength(scale.rolling.images);
    expect(load.pulls).toBeGreaterThan(0);
    // Nothing but connections that were lost between nginx and a node that was just leaving.
    expect([...load.log.failures.keys()].filter((failure) => !LOST.has(failure))).toEqual([]);
    expect(await cluster.database.query('SELECT name FROM migrations WHERE name LIKE $1', ['Expand%'])).toHaveLength(1);
  },
  PATIENCE_MS,
);

const LOST = new Set(['connection lost', '502']);

/** One node after the other, as Kubernetes does it: the next one when the one before is ready. */
async function rollOut(build: string): Promise<void> {
  const pause = (scale.rolling.seconds * 1_000) / (cluster.nodes.length + 2);
  for (const at of cluster.nodes.keys()) {
    await sleep(pause);
    await cluster.updateNode(at, build);
  }
  await sleep(pause);
}
