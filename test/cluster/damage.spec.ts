// needs: nginx
import { randomBytes, randomInt } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { digestFromBytes } from '../../src/oci/digest-bytes.js';
import { aerugo } from '../cli/cli.js';
import { query } from '../e2e/left-behind.js';
import { digestOf } from '../support/content.js';
import type { PushedImage, RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { DAMAGES, deleteObject } from '../support/stored-objects.js';
import { Cluster } from './cluster.js';
import { report } from './report.js';
import { PATIENCE_MS, scale } from './scale.js';

const LAYERS = 4;
const REPOSITORY = 'admin/damage';

interface Image extends PushedImage {
  readonly tag: string;
  readonly blobs: ReadonlyMap<string, Buffer>;
}

/** What pulls of all blobs through all nodes gave, by digest. */
interface Pulls {
  readonly whole: Set<string>;
  readonly unknown: Set<string>;
  readonly wrong: Set<string>;
}

async function pushImages(nodes: readonly Registry[], from: number, count: number): Promise<Image[]> {
  const images: Image[] = [];
  for (let at = from; at < from + count; at++) {
    const size = (): number => randomInt(100, scale.damage.largestLayer);
    const layers = Array.from({ length: LAYERS }, () => randomBytes(size()));
    const tag = `v${at}`;
    const { client } = nodeAt(nodes, at);
    const image = await client.pushImage(REPOSITORY, tag, { layers });
    const config = await client.pullBlob(REPOSITORY, image.config.digest);
    const blobs = new Map([config, ...layers].map((bytes) => [digestOf(bytes), bytes]));
    images.push({ ...image, tag, blobs });
  }
  return images;
}

/** As clients do: what HEAD says is there is not sent. */
async function pushAgain(nodes: readonly Registry[], images: readonly Image[]): Promise<number> {
  let sent = 0;
  for (const [at, { blobs, bytes, tag }] of images.entries()) {
    const { client } = nodeAt(nodes, at);
    for (const [digest, content] of blobs) {
      const { status } = await client.headBlob(REPOSITORY, digest).expect([200, 404]);
      if (status === 404) await client.pushBlob(REPOSITORY, content);
      sent += status === 404 ? 1 : 0;
    }
    await client.putManifest(REPOSITORY, tag, bytes).expect(201);
  }
  return sent;
}

async function pullAll(clients: readonly RegistryClient[], images: readonly Image[]): Promise<Pulls> {
  const pulls: Pulls = { whole: new Set(), unknown: new Set(), wrong: new Set() };
  for (const client of clients)
    for (const { tag, blobs } of images) {
      await client.getManifest(REPOSITORY, tag).expect(200);
      for (const [digest, bytes] of blobs) {
        const reply = await client.getBlob(REPOSITORY, digest).expect([200, 404]);
        const what = reply.status === 404 ? 'unknown' : reply.body.equals(bytes) ? 'whole' : 'wrong';
        pulls[what].add(digest);
      }
    }
  return pulls;
}

async function keys(node: Registry): Promise<Map<string, string>> {
  const rows = await query<{ digest: Buffer; storage_key: string }>(node, 'SELECT digest, storage_key FROM blobs');
  return new Map(rows.map((row) => [digestFromBytes(row.digest), row.storage_key]));
}

async function fsck({ env }: Registry): Promise<{ code: number; damaged: string[] }> {
  const { code, stdout } = await aerugo(['fsck', '--hash', '--json', '--restart'], { env });
  const { damaged } = JSON.parse(stdout) as { damaged: { digest: string }[] };
  return { code: code, damaged: damaged.map(({ digest }) => digest).sort() };
}

function nodeAt(nodes: readonly Registry[], at: number): Registry {
  const node = nodes[at % nodes.length];
  if (!node) throw new Error('there is no node');
  return node;
}

function some<T>(of: readonly T[], count: number): T[] {
  const left = [...of];
  return Array.from({ length: count }, () => left.splice(randomInt(left.length), 1)).flat();
}

/** Damages, pulls, checks, pushes again, pulls; what was not damaged keeps its object. */
async function healAfter(
  nodes: readonly Registry[],
  images: readonly Image[],
  damage: (keys: Map<string, string>) => Promise<Set<string>>,
): Promise<{ damaged: number; found: number; listed: number; sent: number; untouched: number }> {
  const node = nodeAt(nodes, 0);
  const clients = nodes.map(({ client }) => client);
  const before = await keys(node);
  const damaged = await damage(before);
  const pulls = await pullAll(clients, images);
  for (const digest of [...pulls.unknown, ...pulls.wrong]) expect(damaged).toContain(digest);
  const { code, damaged: listed } = await fsck(node);
  expect({ code, listed }).toEqual({ code: 4, listed: [...damaged].sort() });
  const sent = await pushAgain(nodes, images);
  const after = await pullAll(clients, images);
  expect({ unknown: after.unknown.size, wrong: after.wrong.size }).toEqual({ unknown: 0, wrong: 0 });
  expect(await fsck(node)).toEqual({ code: 0, damaged: [] });
  const now = await keys(node);
  const kept = [...before].filter(([digest, key]) => now.get(digest) === key).map(([digest]) => digest);
  expect(kept.sort()).toEqual([...before.keys()].filter((digest) => !damaged.has(digest)).sort());
  return { damaged: damaged.size, found: pulls.unknown.size, listed: listed.length, sent, untouched: kept.length };
}

async function run(store: string, nodes: readonly Registry[]): Promise<void> {
  const { images: count, damaged: some50, newer } = scale.damage;
  const node = nodeAt(nodes, 0);
  const images = await pushImages(nodes, 0, count);
  const random = await healAfter(nodes, images, async (objects) => {
    const chosen = some([...objects], some50);
    const kinds = Object.values(DAMAGES);
    for (const [at, [, key]] of chosen.entries()) await kinds[at % kinds.length]?.(node, key);
    return new Set(chosen.map(([digest]) => digest));
  });
  const later = await pushImages(nodes, count, newer);
  const older = await healAfter(nodes, [...images, ...later], async (objects) => {
    const lost = new Set(later.flatMap(({ blobs }) => [...blobs.keys()]));
    for (const digest of lost) await deleteObject(node, objects.get(digest) ?? '');
    return lost;
  });
  report('damage', {
    store,
    nodes: nodes.length,
    objects: random.damaged + random.untouched,
    'damaged (deleted, cut, one bit)': random.damaged,
    'found by pulls': random.found,
    'listed by fsck': random.listed,
    'sent again': random.sent,
    untouched: random.untouched,
    'lost by an older store': older.damaged,
    'listed then': older.listed,
    'sent then': older.sent,
  });
}

it(
  'of the objects of a bucket under three nodes exactly the damaged ones are found, and all is whole after a push',
  async () => {
    const cluster = await Cluster.start({ env: { STORAGE_REDIRECT: 'false' } });
    await run('s3', cluster.nodes);
  },
  PATIENCE_MS,
);

it(
  'of the objects in a directory exactly the damaged ones are found, and all is whole after a push',
  async () => {
    await run('filesystem', [await startRegistry({ store: 'filesystem' })]);
  },
  PATIENCE_MS,
);
