// needs: versitygw
import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uniqueName } from '../conformance/documents.js';
import { digestOf } from '../support/content.js';
import { OWNER_NAME } from '../../src/storage/object-keys.js';
import { eventually, scratchDirectory } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { freshBucket } from '../support/s3.js';
import { DAMAGES, objectsOf, readObject, writeObject } from '../support/stored-objects.js';
import { damage, listed } from './damaged-blobs.js';
import { query } from './left-behind.js';

let one: Registry;
let two: Registry;
let client: RegistryClient;
let repository: string;
let other: string;

beforeAll(async () => {
  one = await startRegistry({ env: { DEDUPLICATE: 'global' } });
  two = await startRegistry({ like: one });
  ({ client } = one);
}, 120_000);

beforeEach(() => {
  repository = `admin/${uniqueName('damaged')}`;
  other = `admin/${uniqueName('other')}`;
});

/** An image whose layer two repositories hold. */
async function sharedLayer(): Promise<{ layer: Buffer; digest: string }> {
  const layer = randomBytes(200_000);
  await client.pushImage(repository, 'v1', { layers: [layer] });
  await client.pushImage(other, 'v1', { layers: [layer] });
  return { layer, digest: digestOf(layer) };
}

async function expectWhole(digest: string, layer: Buffer): Promise<void> {
  for (const node of [one, two])
    for (const name of [repository, other]) {
      await node.client.headBlob(name, digest).expect(200);
      expect((await node.client.pullBlob(name, digest)).equals(layer)).toBe(true);
    }
}

describe.each(['deleted', 'cut'] as const)('a blob whose object was %s behind the registry’s back', (how) => {
  it('is unknown once somebody has pulled it, and whole everywhere after the next push, wherever to', async () => {
    const { layer, digest } = await sharedLayer();
    for (const node of [one, two]) await node.client.headBlob(repository, digest).expect(200);
    await damage(one, digest, how);
    await client.getBlob(repository, digest).expect(404, { code: 'BLOB_UNKNOWN' });
    for (const node of [one, two]) {
      for (const name of [repository, other]) await node.client.headBlob(name, digest).expect(404);
      await node.client.getManifest(repository, 'v1').expect(200);
    }
    expect(await listed(two, digest)).toMatchObject({
      kind: how === 'deleted' ? 'missing' : 'size',
      foundBy: one.store.type === 's3' ? 'url' : 'pull',
      repositories: expect.arrayContaining([{ path: other, tags: ['v1'] }]) as unknown,
    });
    await two.client.pushBlob(`admin/${uniqueName('third')}`, layer);
    await expectWhole(digest, layer);
    expect(await listed(one, digest)).toBeUndefined();
  }, 60_000);

  it('is brought back by a push, though nobody had noticed before', async () => {
    const { layer, digest } = await sharedLayer();
    await damage(one, digest, how);
    await client.pushBlob(other, layer);
    await expectWhole(digest, layer);
  }, 60_000);

  it('is not mounted: the client is asked for its bytes', async () => {
    const { layer, digest } = await sharedLayer();
    const third = `admin/${uniqueName('third')}`;
    await damage(one, digest, how);
    await client.mount(third, digest, repository).expect(202);
    await client.mount(third, digest).expect(202);
    await client.pushBlob(third, layer);
    await client.mount(`admin/${uniqueName('fourth')}`, digest, repository).expect(201);
    await expectWhole(digest, layer);
  }, 60_000);

  it('is logged once, with its digest and repositories', async () => {
    const { digest } = await sharedLayer();
    await damage(one, digest, how);
    for (let times = 0; times < 3; times++) await client.getBlob(repository, digest).expect(404);
    const lines = one.events().filter((line) => line['event'] === 'blob-damaged' && line['digest'] === digest);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ repositories: expect.arrayContaining([repository, other]) as unknown });
  }, 60_000);
});

describe('a push of bytes that are known', () => {
  it('changes nothing where their object is whole', async () => {
    const { layer, digest } = await sharedLayer();
    const before = await objectsOf(one, digest);
    await client.pushBlob(repository, layer);
    expect(await objectsOf(one, digest)).toEqual(before);
  }, 60_000);

  it('by many at once leaves one whole object', async () => {
    const { layer, digest } = await sharedLayer();
    await damage(one, digest, 'deleted');
    const nodes = [one, two, one, two, one, two];
    await Promise.all(nodes.map((node) => node.client.pushBlob(`admin/${uniqueName('many')}`, layer)));
    await expectWhole(digest, layer);
    const [key = ''] = await objectsOf(one, digest);
    expect((await readObject(one, key)).equals(layer)).toBe(true);
  }, 60_000);
});

describe('a store that is not the database’s', () => {
  it('answers 503 and marks nothing', async () => {
    const { layer, digest } = await sharedLayer();
    const { type } = one.store;
    const place = {
      ...one,
      dataDir: scratchDirectory('unmounted'),
      store: { type, bucket: type === 's3' ? await freshBucket() : null },
    };
    const away = place.store.bucket?.env ?? { DATA_DIR: place.dataDir };
    const lost = await startRegistry({ like: one, env: away });
    expect(lost.logs()).toContain('is the volume mounted, is it the right bucket?');
    await lost.client.getBlob(repository, digest).expect(503);
    await lost.client.mount(`admin/${uniqueName('third')}`, digest, repository).expect(503);
    const upload = await lost.client.startUpload(other);
    await upload.put(digest, layer).expect(503);
    await lost.client.headBlob(repository, digest).expect(200);
    await expectWhole(digest, layer);
    expect(await listed(one, digest)).toBeUndefined();
    // What it took, the right store would not have.
    await lost.client.postBlob(repository, randomBytes(100)).expect(503);
    await lost.client.postBlob(repository, randomBytes(100_000)).expect(503);
    const health = await lost.client.raw('GET', '/api/v1/health');
    expect(health.json()).toMatchObject({ status: 'degraded', writes: { store: 'foreign' } });
    const [row] = await query<{ id: string }>(one, 'SELECT id FROM installation');
    await writeObject(place, OWNER_NAME, Buffer.from(String(row?.id)));
    await eventually('the store is ours', () => lost.events().some(({ event }) => event === 'own-store'));
    await lost.client.postBlob(repository, randomBytes(100)).expect(201);
    await lost.stop();
  }, 120_000);
});

describe('with DEDUPLICATE=namespace', () => {
  it('each namespace has an object of its own, and loses and heals only that', async () => {
    const node = await startRegistry({ env: { DEDUPLICATE: 'namespace' } });
    await node.client.api('POST', '/api/v1/orgs', { name: 'acme' }).expect(201);
    const bytes = randomBytes(5_000);
    const digest = await node.client.pushBlob(repository, bytes);
    await node.client.pushBlob(other, bytes);
    await node.client.pushBlob('acme/app', bytes);
    const [own = ''] = await objectsOf(node, digest);
    await DAMAGES.deleted(node, own);
    await node.client.getBlob(repository, digest).expect(404);
    await node.client.headBlob(other, digest).expect(404);
    expect((await node.client.pullBlob('acme/app', digest)).equals(bytes)).toBe(true);
    await node.client.pushBlob(`admin/${uniqueName('third')}`, bytes);
    for (const name of [repository, other]) expect((await node.client.pullBlob(name, digest)).equals(bytes)).toBe(true);
  }, 60_000);
});

describe('the rows', () => {
  it('of marks are gone once all is healed', async () => {
    const left = await query(one, `SELECT FROM blob_damage d JOIN blobs b ON b.id = d.blob_id WHERE b.state = 'live'`);
    expect(left).toEqual([]);
  });
});
