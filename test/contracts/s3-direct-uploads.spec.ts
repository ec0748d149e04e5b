import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import http from 'node:http';
import type { S3Config } from '../../src/config/config-values.js';
import type { SignedBytes, SignedRequest } from '../../src/storage/direct-uploads.js';
import { MemoryBudget } from '../../src/storage/memory-budget.js';
import { epochKey, type ObjectKey, objectKeyOf } from '../../src/storage/object-keys.js';
import { S3Store } from '../../src/storage/s3/s3-store.js';
import { ObjectTooLarge, StoreUnavailable, UploadLost } from '../../src/storage/storage-errors.js';
import { freshBucket, type S3Bucket } from '../support/s3.js';
import { sendSigned } from '../support/signed-request.js';
import { contentOf } from './upload-row.js';
import { startProxy } from './s3-proxy.js';

const MIB = 1024 * 1024;

const NO_ENCRYPTION = { serverSideEncryption: null, kmsKeyId: null };

function configOf({ endpoint, bucket, region, accessKey, secretKey }: S3Bucket): S3Config {
  const place = { endpoint, publicEndpoint: null, bucket, region };
  return { ...place, accessKey, secretKey, pathStyle: true, caFile: null, equalPartBytes: null, ...NO_ENCRYPTION };
}

const describeBytes = (bytes: Buffer): SignedBytes => ({
  size: bytes.length,
  sha256Hex: createHash('sha256').update(bytes).digest('hex'),
  ttlSeconds: 60,
});

/** Equally long, and different everywhere. */
const inverted = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0xff));

describe('direct uploads to S3', () => {
  let bucket: S3Bucket;
  let store: S3Store;
  const newStem = (): ObjectKey => objectKeyOf(randomUUID());

  beforeAll(async () => {
    bucket = await freshBucket();
    store = new S3Store(configOf(bucket), new MemoryBudget(256 * MIB));
  });
  afterAll(() => store.close());

  it('sees that the store verifies a signed PUT, and leaves nothing of the question', async () => {
    expect(await store.direct.verifiesPut()).toBe(true);
    const { Contents = [] } = await bucket.client.send(new ListObjectsV2Command({ Bucket: bucket.bucket }));
    expect(Contents).toEqual([]);
  });

  describe('one PUT', () => {
    const bytes = randomBytes(100_000);
    let key: ObjectKey;
    let request: SignedRequest;

    beforeAll(async () => {
      key = epochKey(newStem(), 1);
      request = await store.direct.signPut(key, describeBytes(bytes));
    });

    it('is refused with other bytes of the same length', async () => {
      expect((await sendSigned(request, inverted(bytes))).status).toBeGreaterThanOrEqual(400);
      expect(await store.direct.verified(key)).toBeNull();
    });

    it('is refused with another length, another checksum, or without the checksum', async () => {
      const other = inverted(bytes);
      const { 'x-amz-checksum-sha256': _, ...without } = request.headers;
      const sha256 = createHash('sha256').update(other).digest('base64');
      const longer = Buffer.concat([bytes, bytes]);
      const refused = [
        await sendSigned({ ...request, headers: { ...request.headers, 'content-length': '200000' } }, longer),
        await sendSigned({ ...request, headers: { ...request.headers, 'x-amz-checksum-sha256': sha256 } }, other),
        await sendSigned({ ...request, headers: without }, other),
      ];
      for (const { status } of refused) expect(status).toBeGreaterThanOrEqual(400);
      expect(await store.direct.verified(key)).toBeNull();
    });

    it('makes the object, whose SHA-256 the store then tells, and a second one changes nothing', async () => {
      expect((await sendSigned(request, bytes)).status).toBe(200);
      const { sha256Hex, size } = describeBytes(bytes);
      expect(await store.direct.verified(key)).toEqual({ size, sha256Hex });
      await sendSigned(request, bytes);
      expect((await sendSigned(request, inverted(bytes))).status).toBeGreaterThanOrEqual(400);
      expect((await contentOf(store, key)).equals(bytes)).toBe(true);
    });

    it('may be empty', async () => {
      const empty = epochKey(newStem(), 1);
      const put = await store.direct.signPut(empty, describeBytes(Buffer.alloc(0)));
      expect((await sendSigned(put, Buffer.alloc(0))).status).toBe(200);
      expect((await store.direct.verified(empty))?.size).toBe(0);
    });
  });

  it('in parts become one object, in whichever order they come, and none with other bytes is taken', async () => {
    const parts = [randomBytes(5 * MIB), randomBytes(5 * MIB), randomBytes(1000)];
    const state = await store.direct.begin(newStem());
    for (const number of [3, 1, 2]) {
      const bytes = parts[number - 1] ?? Buffer.alloc(0);
      const request = await store.direct.signPart(state, number, describeBytes(bytes));
      expect((await sendSigned(request, inverted(bytes))).status).toBeGreaterThanOrEqual(400);
      expect((await sendSigned(request, bytes)).status).toBe(200);
    }
    const found = (await store.direct.parts(state)) ?? [];
    expect(found.map(({ number, size }) => [number, size])).toEqual([
      [1, 5 * MIB],
      [2, 5 * MIB],
      [3, 1000],
    ]);
    const target = { key: newStem(), epoch: 2 };
    const { key } = await store.complete(target, store.direct.withParts(state, found));
    expect((await contentOf(store, key)).equals(Buffer.concat(parts))).toBe(true);
    expect((await store.direct.verified(key))?.sha256Hex).toBeNull();
    expect(await store.direct.parts(state)).toBeNull();
  });

  it('are cut so that 10,000 parts are enough, and equally where the store wants that', async () => {
    const cuts = [1, 16 * MIB, 16 * MIB + 1, 2 * 1024 * MIB, 500 * 1024 * MIB].map((size) =>
      store.direct.partSizes(size),
    );
    expect(cuts).toEqual([
      { bytes: 16 * MIB, count: 1 },
      { bytes: 16 * MIB, count: 1 },
      { bytes: 16 * MIB, count: 2 },
      { bytes: 32 * MIB, count: 64 },
      { bytes: 64 * MIB, count: 8000 },
    ]);
    expect(() => store.direct.partSizes(500 * 1024 * MIB + 1)).toThrow(ObjectTooLarge);
    const equal = new S3Store({ ...configOf(bucket), equalPartBytes: 6 * MIB }, new MemoryBudget(256 * MIB));
    expect(equal.direct.partSizes(20 * MIB)).toEqual({ bytes: 6 * MIB, count: 4 });
    await equal.close();
  });

  it('have no parts in a state of another store', async () => {
    const state = { driver: 'filesystem', segments: [] } as const;
    await expect(store.direct.signPart(state, 1, describeBytes(Buffer.alloc(1)))).rejects.toBeInstanceOf(UploadLost);
  });

  it('are not trusted to a store that takes any bytes, and the question is asked again when it did not answer', async () => {
    const lenient = http.createServer((request, response) => {
      request.resume().once('end', () => response.writeHead(isDown ? 503 : 200).end());
    });
    let isDown = true;
    await new Promise<void>((resolve) => lenient.listen(0, '127.0.0.1', resolve));
    const { port } = lenient.address() as { port: number };
    const other = new S3Store(
      { ...configOf(bucket), endpoint: `http://127.0.0.1:${port}` },
      new MemoryBudget(256 * MIB),
    );
    await expect(other.direct.verifiesPut()).rejects.toBeInstanceOf(StoreUnavailable);
    isDown = false;
    expect(await other.direct.verifiesPut()).toBe(false);
    await other.close();
    lenient.close();
  }, 30_000);

  it('are asked about once in a process', async () => {
    const proxy = await startProxy(bucket.endpoint);
    const other = new S3Store({ ...configOf(bucket), endpoint: proxy.endpoint }, new MemoryBudget(256 * MIB));
    await Promise.all([other.direct.verifiesPut(), other.direct.verifiesPut()]);
    const { length } = proxy.calls;
    expect(length).toBeGreaterThan(0);
    await other.direct.verifiesPut();
    expect(proxy.calls.length).toBe(length);
    await other.close();
    await proxy.close();
  });
});
