// needs: nginx
import { beforeAll, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from './cluster.js';
import { leftoversOf } from './leftovers.js';
import { Load } from './load.js';
import { mebibytes, report } from './report.js';
import { PATIENCE_MS, scale } from './scale.js';
import { verify } from './verify.js';

let cluster: Cluster;
let load: Load;
let kills = 0;

beforeAll(async () => {
  cluster = await Cluster.start();
  const { clients, images, largestLayer, kills: fire } = scale;
  const { url, credentials } = cluster;
  load = new Load({ url, credentials, clients, images, largestLayer, seconds: fire.seconds, name: 'kill' });
}, PATIENCE_MS);

it(
  'loses nothing that was acknowledged when nodes are killed all the time',
  async () => {
    const over = new AbortController();
    const running = load.run().finally(() => {
      over.abort();
    });
    const killing = killNodes(over.signal);
    await Promise.all([running, killing]);
    const { lost, corrupt, checked } = await verify(cluster, load.acknowledged);
    report('kill', {
      images: load.acknowledged.images.length,
      blobs: load.acknowledged.blobs.size,
      bytes: mebibytes(load.bytes),
      pulls: load.pulls,
      kills,
      requests: load.log.requests,
      'failed requests': load.log.failed,
      retries: load.log.retries,
      'checks afterwards': checked,
      lost: lost.length,
      corrupt: corrupt.length,
    });
    expect(kills).toBeGreaterThan(1);
    expect({ lost, corrupt }).toEqual({ lost: [], corrupt: [] });
    expect(load.acknowledged.images).toHaveLength(scale.images);
  },
  PATIENCE_MS,
);

it(
  'and leaves nothing in the bucket that no row names',
  async () => {
    const left = await leftoversOf(cluster);
    report('kill: the bucket', { objects: left.objects, blobs: left.blobs, multiparts: left.multiparts });
    expect(left).toEqual({ ...left, multiparts: 0, liveUploads: 0, unnamed: [], missing: [] });
  },
  PATIENCE_MS,
);

/** One node at a time, which is started again at once. */
async function killNodes(over: AbortSignal): Promise<void> {
  const pause = () => sleep(scale.kills.everySeconds * 1_000, undefined, { signal: over }).catch(() => undefined);
  await pause();
  while (!over.aborted) {
    const restarted = cluster.killNode(Math.floor(Math.random() * cluster.nodes.length));
    kills++;
    await Promise.all([restarted, pause()]);
  }
}
