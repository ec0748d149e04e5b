// needs: nginx
import { beforeAll, expect, it } from '@jest/globals';
import type { RegistryClient } from '../support/registry-client.js';
import { Cluster } from './cluster.js';
import { manifestOf } from './image.js';
import { report, seconds } from './report.js';
import { PATIENCE_MS, scale } from './scale.js';
import { blobOf } from './seeded-blob.js';

const READERS_PER_NODE = 3;
const TAG = 'moving';

let cluster: Cluster;

beforeAll(async () => {
  // One user reads here as often as many do.
  cluster = await Cluster.start({ env: { RATE_LIMIT_USER: '0' } });
}, PATIENCE_MS);

it(
  'no node shows where a tag was before a move that was acknowledged, on whichever node it was moved',
  async () => {
    const repository = `${cluster.credentials.username}/tags`;
    const [writer, ...others] = cluster.nodes.map(({ client }) => client);
    if (writer === undefined) throw new Error('the cluster has no node');
    const config = Buffer.from('{"architecture":"amd64","os":"linux"}');
    await writer.pushBlob(repository, config);

    /** Which move a digest belongs to, known before it is sent. */
    const moves = new Map<string, number>();
    let acknowledged = -1;
    let isOver = false;
    const stale: string[] = [];
    let reads = 0;

    const move = async (number: number): Promise<void> => {
      const manifest = manifestOf(blobOf(config), [], { move: String(number) });
      moves.set(manifest.digest, number);
      const bytes = Buffer.from(
        await manifest
          .read(0, manifest.size)
          .toArray()
          .then((pieces) => Buffer.concat(pieces as Buffer[])),
      );
      await writer.putManifest(repository, TAG, bytes).expect(201, { digest: manifest.digest });
      acknowledged = number;
    };
    const read = async (client: RegistryClient): Promise<void> => {
      while (!isOver) {
        const least = acknowledged;
        const isHead = reads++ % 2 === 0;
        const reply = await (
          isHead ? client.headManifest(repository, TAG) : client.getManifest(repository, TAG)
        ).expect(200);
        const seen = moves.get(reply.need('docker-content-digest')) ?? -1;
        if (seen < least) stale.push(`${client.base.host} showed move ${seen} after ${least} was acknowledged`);
      }
    };

    await move(0);
    const started = Date.now();
    const readers = others.flatMap((client) => Array.from({ length: READERS_PER_NODE }, () => read(client)));
    const moving = (async () => {
      for (let number = 1; number <= scale.tagMoves; number++) await move(number);
    })().finally(() => {
      isOver = true;
    });
    await Promise.all([moving, ...readers]);
    report('tags', { moves: scale.tagMoves, reads, stale: stale.length, time: seconds(Date.now() - started) });
    expect(stale).toEqual([]);
    expect(reads).toBeGreaterThan(scale.tagMoves / 2);
  },
  PATIENCE_MS,
);
