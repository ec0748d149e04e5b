// needs: versitygw
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uniqueName } from '../conformance/documents.js';
import { digestOf } from '../support/content.js';
import { OWNER_NAME } from '../../src/storage/object-keys.js';
import { eventually, scratchDirectory } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { freshBucket } from '../support/s3.js';
import { DAMAGES, objectsOf, readObject, writeObject } from '../support/stored-objects.js';
import { query } from './left-behind.js';

interface Listed {
  readonly digest: string;
  readonly kind: string;
  readonly foundBy: string;
  readonly repositories: { path: string; tags: string[] }[];
}

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

async function damage(digest: string, how: keyof typeof DAMAGES, registry = one): Promise<void> {
  for (const key of await objectsOf(registry, digest)) await DAMAGES[how](registry, key);
}

/** An image whose layer two repositories hold. */
async function sharedLayer(): Promise<{ layer: Buffer; digest: string }> {
  const layer = randomBytes(200_000);
  await client.pushImage(repository, 'v1', { layers: [layer] });
  await client.pushImage(other, 'v1', { layers: [layer] });
  return { layer, digest: digestOf(layer) };
}

async function listed(registry: Registry, digest: string): Promise<Listed | undefined> {
  const { body } = await registry.client.api('GET', '/api/v1/admin/damaged?limit=1000').expect(200);
  return (JSON.parse(body.toString()) as { items: Listed[] }).items.find((item) => item.digest === digest);
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
    await damage(digest, how);
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
    await damage(digest, how);
    await client.pushBlob(other, layer);
    await expectWhole(digest, layer);
  }, 60_000);

  it('is not mounted: the client is asked for its bytes', async () => {
    const { layer, digest } = await sharedLayer();
    const third = `admin/${uniqueName('third')}`;
    await damage(digest, how);
    await client.mount(third, digest, repository).expect(202);
    await client.mount(third, digest).expect(202);
    await client.pushBlob(third, layer);
    await client.mount(`admin/${uniqueName('fourth')}`, digest, repository).expect(201);
    await expectWhole(digest, layer);
  }, 60_000);

  it('is logged once, with its digest and repositories', async () => {
    const { digest } = await sharedLayer();
    await damage(digest, how);
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
    await damage(digest, 'deleted');
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

describe('a redirect', () => {
  it('is not given to an object that is not there', async () => {
    const bucket = await freshBucket();
    const node = await startRegistry({ store: bucket, env: { STORAGE_REDIRECT: 'true' } });
    const bytes = randomBytes(5_000);
    const digest = await node.client.pushBlob(repository, bytes);
    await node.client.getBlob(repository, digest).expect(307);
    const [gone, cut] = [await node.client.pushBlob(repository, randomBytes(50)), digestOf('0123456789')];
    await node.client.pushBlob(repository, '0123456789');
    await damage(gone, 'deleted', node);
    await damage(cut, 'cut', node);
    for (const each of [gone, cut]) {
      await node.client.getBlob(repository, each).expect(404);
      await node.client.headBlob(repository, each).expect(404);
    }
    expect(await listed(node, gone)).toMatchObject({ kind: 'missing', foundBy: 'url' });
    expect(await listed(node, cut)).toMatchObject({ kind: 'size', foundBy: 'url' });
  }, 60_000);
});

describe('a direct upload', () => {
  it('of bytes whose object is gone is not spared, and heals every repository', async () => {
    const node = await startRegistry({ store: await freshBucket() });
    const bytes = randomBytes(5_000);
    const digest = await node.client.pushBlob(repository, bytes);
    await node.client.pushBlob(other, bytes);
    const start = `/api/v1/repos/${repository}/blobs/uploads`;
    const announced = { digest, size: bytes.length };
    await node.client.api('POST', start, announced).expect(200);
    await damage(digest, 'deleted', node);
    const started = await node.client.api('POST', start, announced).expect(201);
    const { id, put } = JSON.parse(started.body.toString()) as {
      id: string;
      put: { url: string; headers: Record<string, string> };
    };
    const sent = await fetch(put.url, { method: 'PUT', headers: put.headers, body: bytes });
    expect(sent.status).toBe(200);
    await node.client.api('POST', `${start}/${id}/complete`).expect(201);
    for (const name of [repository, other]) expect((await node.client.pullBlob(name, digest)).equals(bytes)).toBe(true);
  }, 60_000);

  it('that began before its bytes were lost is kept when it ends', async () => {
    const node = await startRegistry({ store: await freshBucket() });
    const bytes = randomBytes(5_000);
    const digest = digestOf(bytes);
    const start = `/api/v1/repos/${repository}/blobs/uploads`;
    const started = await node.client.api('POST', start, { digest, size: bytes.length }).expect(201);
    const { id, put } = JSON.parse(started.body.toString()) as {
      id: string;
      put: { url: string; headers: Record<string, string> };
    };
    await node.client.pushBlob(other, bytes);
    await damage(digest, 'cut', node);
    await fetch(put.url, { method: 'PUT', headers: put.headers, body: bytes });
    await node.client.api('POST', `${start}/${id}/complete`).expect(201);
    for (const name of [repository, other]) expect((await node.client.pullBlob(name, digest)).equals(bytes)).toBe(true);
  }, 60_000);
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

describe('a file that is cut while it is sent', () => {
  it('ends the connection, and the next pull finds it', async () => {
    const node = await startRegistry({ store: 'filesystem' });
    const digest = await node.client.pushBlob(repository, randomBytes(64 * 2 ** 20));
    const [key = ''] = await objectsOf(node, digest);
    const token = await node.client.token(`repository:${repository}:pull`);
    const reply = await fetch(`${node.url}/v2/${repository}/blobs/${digest}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const reader = reply.body?.getReader();
    await reader?.read();
    truncateSync(path.join(node.dataDir, 'blobs', key), 100);
    const rest = async (): Promise<void> => {
      while (!(await reader?.read())?.done);
    };
    await expect(rest()).rejects.toThrow();
    await node.client.getBlob(repository, digest).expect(404);
  }, 60_000);
});

describe('with the embedded database', () => {
  it('two workers see at once what the other has found and healed', async () => {
    const node = await startRegistry({
      store: 'filesystem',
      redis: false,
      database: 'embedded',
      env: { WORKERS: '2' },
    });
    const bytes = randomBytes(70_001);
    const digest = await node.client.pushBlob(repository, bytes);
    await node.client.pushBlob(other, bytes);
    const lookAt = async (status: number): Promise<void> => {
      // Connections of their own come to either worker.
      const fresh = Array.from({ length: 8 }, () => node.client.as(node.username, node.password));
      for (const each of fresh)
        for (const name of [repository, other]) await each.headBlob(name, digest).expect(status);
      for (const each of fresh) each.close();
    };
    await lookAt(200);
    const root = path.join(node.dataDir, 'blobs');
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => path.join(root, name));
    for (const file of files) if (statSync(file).size === bytes.length) rmSync(file);
    await node.client.getBlob(repository, digest).expect(404);
    await lookAt(404);
    await node.client.pushBlob(other, bytes);
    await lookAt(200);
  }, 120_000);
});

describe('the rows', () => {
  it('of marks are gone once all is healed', async () => {
    const left = await query(one, `SELECT FROM blob_damage d JOIN blobs b ON b.id = d.blob_id WHERE b.state = 'live'`);
    expect(left).toEqual([]);
  });
});
