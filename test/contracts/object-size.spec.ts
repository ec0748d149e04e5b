import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { BlobStore } from '../../src/storage/blob-store.js';
import { FilesystemStore } from '../../src/storage/filesystem/filesystem-store.js';
import { objectKeyOf, type ObjectKey } from '../../src/storage/object-keys.js';
import { S3Store } from '../../src/storage/s3/s3-store.js';
import { ObjectNotFound, ObjectSizeDiffers } from '../../src/storage/storage-errors.js';
import { onFileEnd, scratchDirectory } from '../support/processes.js';
import { freshBucket, type S3Bucket } from '../support/s3.js';
import { contentOf, UploadRow } from './upload-row.js';
import { startProxy } from './s3-proxy.js';
import { budget, configOf } from './s3-config.js';

const STORES: Record<string, () => Promise<BlobStore>> = {
  filesystem: () => Promise.resolve(new FilesystemStore(path.join(scratchDirectory('blobs'), 'blobs'))),
  s3: async () => new S3Store(configOf(await freshBucket()), budget()),
};
const SIZE = 1_000;

describe.each(Object.entries(STORES))('an object of a size that its reader is sure of, on %s', (_name, newStore) => {
  let store: BlobStore;
  let key: ObjectKey;
  const bytes = randomBytes(SIZE);

  beforeAll(async () => {
    const opened = await newStore();
    await opened.prepare();
    onFileEnd(() => opened.close());
    store = opened;
    key = await store.put(new UploadRow().begin().target, bytes);
  });

  it.each([
    ['as a whole', {}],
    ['a range of it', { range: { first: 5, last: 9 } }],
    ['a range that ends behind it', { range: { first: 900, last: SIZE } }],
    ['a range behind it', { range: { first: SIZE, last: SIZE } }],
  ])('is refused before the first byte when it has another one: %s', async (_what, options) => {
    await expect(store.open(key, { ...options, size: SIZE + 1 })).rejects.toBeInstanceOf(ObjectSizeDiffers);
  });

  it('is read when it has it', async () => {
    expect(await contentOf(store, key)).toEqual(bytes);
    const chunks: Buffer[] = [];
    for await (const chunk of await store.open(key, { size: SIZE, range: { first: 5, last: 9 } }))
      chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks)).toEqual(bytes.subarray(5, 10));
  });
});

describe('a URL of an object in S3', () => {
  let bucket: S3Bucket;
  const ttlSeconds = 300;
  beforeAll(async () => {
    bucket = await freshBucket();
  });

  it('is given only for an object that has its size', async () => {
    const store = new S3Store(configOf(bucket), budget());
    onFileEnd(() => store.close());
    const key = await store.put(new UploadRow().begin().target, randomBytes(SIZE));
    const absent = objectKeyOf('6b8c0d5e-0d5a-4b5c-9a53-0c1b2b7c1c58');
    await expect(store.signedUrl(absent, { ttlSeconds, size: SIZE })).rejects.toBeInstanceOf(ObjectNotFound);
    await expect(store.signedUrl(key, { ttlSeconds, size: SIZE + 1 })).rejects.toBeInstanceOf(ObjectSizeDiffers);
    expect((await store.signedUrl(key, { ttlSeconds, size: SIZE })).pathname).toContain(key);
  });

  it('costs one HEAD in half of its life, and a refusal is not remembered', async () => {
    const proxy = await startProxy(bucket.endpoint);
    onFileEnd(() => proxy.close());
    const store = new S3Store({ ...configOf(bucket), endpoint: proxy.endpoint }, budget());
    onFileEnd(() => store.close());
    const key = await store.put(new UploadRow().begin().target, randomBytes(SIZE));
    await expect(store.signedUrl(key, { ttlSeconds, size: SIZE + 1 })).rejects.toBeInstanceOf(ObjectSizeDiffers);
    const longer = new PutObjectCommand({ Bucket: bucket.bucket, Key: key, Body: randomBytes(SIZE + 1) });
    await bucket.client.send(longer);
    proxy.calls.length = 0;
    const url = await store.signedUrl(key, { ttlSeconds, size: SIZE + 1 });
    expect(await store.signedUrl(key, { ttlSeconds, size: SIZE + 1 })).toBe(url);
    expect(proxy.calls).toHaveLength(1);
  });

  it('is given without a look at the object when the store does not answer, and not kept', async () => {
    const proxy = await startProxy(bucket.endpoint);
    onFileEnd(() => proxy.close());
    const store = new S3Store({ ...configOf(bucket), endpoint: proxy.endpoint }, budget());
    onFileEnd(() => store.close());
    const key = await store.put(new UploadRow().begin().target, randomBytes(SIZE));
    proxy.fault = (_call, reply) => reply.socket?.resetAndDestroy() !== undefined;
    await store.signedUrl(key, { ttlSeconds, size: SIZE });
    proxy.fault = null;
    proxy.calls.length = 0;
    await store.signedUrl(key, { ttlSeconds, size: SIZE });
    expect(proxy.calls).toHaveLength(1);
  });
});
