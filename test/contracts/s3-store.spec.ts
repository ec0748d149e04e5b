import {
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import type { S3Config } from '../../src/config/config-values.js';
import type { S3State } from '../../src/storage/writer-state.js';
import { MemoryBudget } from '../../src/storage/memory-budget.js';
import { S3Store } from '../../src/storage/s3/s3-store.js';
import {
  ObjectNotFound,
  ObjectTooLarge,
  StoreBusy,
  StoreUnavailable,
  UploadLost,
} from '../../src/storage/storage-errors.js';
import { freshBucket, type S3Bucket } from '../support/s3.js';
import { broken, describeBlobStore } from './blob-store.contract.js';
import { chunked, contentOf, UploadRow } from './upload-row.js';
import { budget, configOf, MIB } from './s3-config.js';
import { describeBlobInventory } from './blob-inventory.contract.js';
import { answerXml, startProxy, type S3Proxy } from './s3-proxy.js';

async function namesIn({ client, bucket }: S3Bucket, stem: string): Promise<string[]> {
  const objects = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: stem }));
  const uploads = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: `${stem}.0m` }));
  return [
    ...(objects.Contents ?? []).map(({ Key = '' }) => Key),
    ...(uploads.Uploads ?? []).map(({ Key = '' }) => `${Key} (upload)`),
  ];
}

describeBlobStore('s3', async () => {
  const bucket = await freshBucket();
  return {
    races: 10,
    node: () => new S3Store(configOf(bucket), budget()),
    namesOf: (stem) => namesIn(bucket, stem),
  };
});

describeBlobInventory('s3', async () => {
  const bucket = await freshBucket();
  return {
    node: () => new S3Store(configOf(bucket), budget()),
    addForeign: async (Key) => {
      await bucket.client.send(new PutObjectCommand({ Bucket: bucket.bucket, Key, Body: 'foreign' }));
    },
    listsMultiparts: true,
  };
});

describe('the S3 store', () => {
  let bucket: S3Bucket;
  let proxy: S3Proxy;
  let config: S3Config;
  let store: S3Store;
  const calls = (): string[] => proxy.calls.map(({ call }) => call);

  beforeAll(async () => {
    bucket = await freshBucket();
    proxy = await startProxy(bucket.endpoint);
    config = { ...configOf(bucket), endpoint: proxy.endpoint };
    store = new S3Store(config, budget());
  });
  afterEach(() => {
    proxy.calls.length = 0;
    proxy.fault = null;
  });
  afterAll(async () => {
    await store.close();
    await proxy.close();
  });

  async function rowWithParts(...sizes: number[]): Promise<{ row: UploadRow; bytes: Buffer }> {
    const row = new UploadRow();
    const bodies = sizes.map((size) => randomBytes(size));
    for (const body of bodies) await row.send(store, chunked(body));
    proxy.calls.length = 0;
    return { row, bytes: Buffer.concat(bodies) };
  }

  it('writes a small blob with one call that carries its digest, and completes it with none', async () => {
    const row = new UploadRow();
    const bytes = randomBytes(16 * 1024);
    const sha256 = createHash('sha256').update(bytes);
    await row.send(store, chunked(bytes), { expectedBytes: bytes.length, sha256: () => sha256.digest('hex') });
    await row.send(store, chunked(Buffer.alloc(0)), { expectedBytes: 0 });
    await row.commit(store);
    expect(calls()).toEqual(['PUT']);
    expect(proxy.calls[0]?.headers['x-amz-checksum-sha256']).toHaveLength(44);
  });

  it('has the store refuse bytes that do not have the digest', async () => {
    const row = new UploadRow();
    const sha256 = (): string => createHash('sha256').update('something else').digest('hex');
    await expect(row.send(store, chunked(randomBytes(1000)), { sha256 })).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await namesIn(bucket, row.key)).toEqual([]);
  });

  it('creates nothing before the first full part', async () => {
    const row = new UploadRow();
    const source = broken(randomBytes(8 * MIB), () => Promise.reject(new Error('gone')));
    await expect(row.send(store, source)).rejects.toThrow('gone');
    expect(calls()).toEqual([]);
  });

  it('streams a large blob in full parts, and completes it with one call when no tail is left', async () => {
    const row = new UploadRow();
    await row.send(store, chunked(randomBytes(22 * MIB)));
    await row.commit(store);
    expect(calls()).toEqual(['POST uploads', 'PUT part', 'PUT part', 'PUT part', 'POST complete']);
  });

  it('cuts equal parts for a store that wants them', async () => {
    const equal = new S3Store({ ...config, equalPartBytes: 6 * MIB }, budget());
    const row = new UploadRow();
    const bytes = randomBytes(27 * MIB);
    await row.send(equal, chunked(bytes.subarray(0, 11 * MIB)));
    await row.send(equal, chunked(bytes.subarray(11 * MIB)));
    const { parts, tail } = row.state as S3State;
    expect(parts.map(({ size }) => size)).toEqual([6 * MIB, 6 * MIB, 6 * MIB, 6 * MIB]);
    expect(tail?.size).toBe(3 * MIB);
    expect((await contentOf(equal, await row.commit(equal))).equals(bytes)).toBe(true);
    await equal.close();
  });

  it('says that an upload is lost when a counted part was written over, or the upload is gone', async () => {
    const { row } = await rowWithParts(17 * MIB);
    const { multipart, parts } = row.state as S3State;
    const { id: UploadId, key: Key } = multipart ?? { id: '', key: '' };
    const PartNumber = parts[0]?.number;
    await bucket.client.send(
      new UploadPartCommand({ Bucket: bucket.bucket, Key, UploadId, PartNumber, Body: 'other' }),
    );
    await expect(row.commit(store)).rejects.toBeInstanceOf(UploadLost);
    await store.abandon(row.claim(), row.state);
    await expect(row.commit(store)).rejects.toBeInstanceOf(UploadLost);
    await expect(row.send(store, chunked(randomBytes(9 * MIB)))).rejects.toBeInstanceOf(UploadLost);
  });

  it('asks the row before each part of an upload that others may write to, and stops when it was taken over', async () => {
    const { row } = await rowWithParts(9 * MIB);
    const claimed = row.begin();
    row.claim();
    await expect(row.send(store, chunked(randomBytes(9 * MIB)), {}, claimed)).rejects.toThrow('the epoch is lost');
    expect(calls()).not.toContain('PUT part');
  });

  it('says busy before it reads the body when the memory is in use', async () => {
    const small = new MemoryBudget(128 * MIB, 30);
    const busy = new S3Store(config, small);
    const held = await small.take(128 * MIB, new AbortController().signal);
    let isRead = false;
    const body = (async function* () {
      isRead = true;
      await Promise.resolve();
      yield Buffer.from('x');
    })();
    const row = new UploadRow();
    await expect(row.send(busy, body)).rejects.toBeInstanceOf(StoreBusy);
    expect(isRead).toBe(false);
    held.release();
    expect(await row.send(busy, body)).toBe(true);
    expect(small.freeBytes).toBe(128 * MIB);
    await busy.close();
  });

  it('refuses at once what is announced larger than it can hold', async () => {
    const send = new UploadRow().send(store, chunked(Buffer.alloc(1)), { expectedBytes: 501 * 1024 * MIB });
    await expect(send).rejects.toBeInstanceOf(ObjectTooLarge);
  });

  it('gives back its memory after every failure', async () => {
    const memory = budget();
    const failing = new S3Store(config, memory);
    proxy.fault = ({ call }, reply) => call === 'PUT part' && answerXml(reply, 403, 'AccessDenied');
    await expect(new UploadRow().send(failing, chunked(randomBytes(40 * MIB)))).rejects.toMatchObject({
      code: 'store_unavailable',
      reason: 'denied',
    });
    expect(memory.freeBytes).toBe(memory.totalBytes);
    await failing.close();
  });

  it('stops at once when the client leaves while the store hangs', async () => {
    const row = new UploadRow();
    const abort = new AbortController();
    proxy.fault = ({ call }) => {
      if (call === 'PUT part') abort.abort(new Error('the client left'));
      return call === 'PUT part';
    };
    const send = row.send(store, chunked(randomBytes(20 * MIB)), { signal: abort.signal });
    await expect(send).rejects.toThrow('the client left');
    proxy.fault = null;
    await store.abandon(row.claim(), row.state);
    expect(await namesIn(bucket, row.key)).toEqual([]);
  });

  it('tells a store that fails from an object that is absent', async () => {
    const { key } = new UploadRow();
    proxy.fault = (_call, reply) => answerXml(reply, 500, 'InternalError');
    await expect(store.stat(key)).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(store.open(key)).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(store.check()).rejects.toBeInstanceOf(StoreUnavailable);
    proxy.fault = null;
    await expect(store.open(key)).rejects.toBeInstanceOf(ObjectNotFound);
    const elsewhere = new S3Store({ ...config, bucket: 'no-such-bucket' }, budget());
    await expect(elsewhere.stat(key)).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(elsewhere.open(key)).rejects.toBeInstanceOf(StoreUnavailable);
    await elsewhere.close();
  });

  it('says in one line at the start why the bucket cannot be used', async () => {
    const startWith = async (changes: Partial<S3Config>): Promise<unknown> => {
      const broken = new S3Store({ ...config, ...changes }, budget());
      return broken.prepare().then(
        () => 'started',
        (error: unknown) => (error as Error).message,
      );
    };
    expect(await startWith({})).toBe('started');
    expect(await startWith({ bucket: 'no-such-bucket' })).toMatch(/^the bucket "no-such-bucket" .*404.*make it/);
    expect(await startWith({ secretKey: 'wrong' })).toMatch(/403.*S3_SECRET_KEY/);
    expect(await startWith({ endpoint: 'http://127.0.0.1:1' })).toMatch(/cannot be reached .*S3_ENDPOINT/);
    expect(await startWith({ equalPartBytes: 200 * MIB })).toMatch(/^UPLOAD_MEMORY_BUDGET.*419430400 bytes$/);
  });
});
