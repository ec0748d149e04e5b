// needs: versitygw
// once: its stores are its own
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uniqueName } from '../conformance/documents.js';
import { digestOf } from '../support/content.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { freshBucket } from '../support/s3.js';
import { objectsOf } from '../support/stored-objects.js';
import { damage, listed } from './damaged-blobs.js';

let repository: string;
let other: string;

beforeEach(() => {
  repository = `admin/${uniqueName('damaged')}`;
  other = `admin/${uniqueName('other')}`;
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
    await damage(node, gone, 'deleted');
    await damage(node, cut, 'cut');
    for (const each of [gone, cut]) {
      await node.client.getBlob(repository, each).expect(404);
      await node.client.headBlob(repository, each).expect(404);
    }
    expect(await listed(node, gone)).toMatchObject({ kind: 'missing', foundBy: 'url' });
    expect(await listed(node, cut)).toMatchObject({ kind: 'size', foundBy: 'url' });
  }, 60_000);
});

describe('a direct upload', () => {
  let node: Registry;

  beforeAll(async () => {
    node = await startRegistry({ store: await freshBucket() });
  }, 60_000);

  it('of bytes whose object is gone is not spared, and heals every repository', async () => {
    const bytes = randomBytes(5_000);
    const digest = await node.client.pushBlob(repository, bytes);
    await node.client.pushBlob(other, bytes);
    const start = `/api/v1/repos/${repository}/blobs/uploads`;
    const announced = { digest, size: bytes.length };
    await node.client.api('POST', start, announced).expect(200);
    await damage(node, digest, 'deleted');
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
    const bytes = randomBytes(5_000);
    const digest = digestOf(bytes);
    const start = `/api/v1/repos/${repository}/blobs/uploads`;
    const started = await node.client.api('POST', start, { digest, size: bytes.length }).expect(201);
    const { id, put } = JSON.parse(started.body.toString()) as {
      id: string;
      put: { url: string; headers: Record<string, string> };
    };
    await node.client.pushBlob(other, bytes);
    await damage(node, digest, 'cut');
    await fetch(put.url, { method: 'PUT', headers: put.headers, body: bytes });
    await node.client.api('POST', `${start}/${id}/complete`).expect(201);
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
