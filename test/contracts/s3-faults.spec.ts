import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { S3Store } from '../../src/storage/s3/s3-store.js';
import { StoreUnavailable } from '../../src/storage/storage-errors.js';
import { freshBucket, startS3, type S3Bucket } from '../support/s3.js';
import { chunked, contentOf, UploadRow } from './upload-row.js';
import { budget, configOf, MIB } from './s3-config.js';
import { answerXml, type Fault, passOnWith, startProxy, type S3Proxy } from './s3-proxy.js';

describe('the S3 store, when calls fail', () => {
  let bucket: S3Bucket;
  let proxy: S3Proxy;
  let store: S3Store;

  beforeAll(async () => {
    bucket = await freshBucket();
    proxy = await startProxy(bucket.endpoint);
    store = new S3Store({ ...configOf(bucket), endpoint: proxy.endpoint }, budget());
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

  /** The first two calls of each kind fail. */
  function twice(fail: Fault): Fault {
    const failed = new Map<string, number>();
    return (proxied, reply, pass) => {
      const times = failed.get(proxied.call) ?? 0;
      failed.set(proxied.call, times + 1);
      return times < 2 && fail(proxied, reply, pass);
    };
  }

  const FAULTS: [string, Fault][] = [
    // One kind only: the pauses are a second and two.
    ['are told to slow down', ({ call }, reply) => call === 'PUT part' && answerXml(reply, 503, 'SlowDown')],
    ['meet an internal error', (_call, reply) => answerXml(reply, 500, 'InternalError')],
    ['lose their connection', (_call, reply) => reply.socket?.resetAndDestroy() !== undefined],
    [
      'lose the answer',
      (_call, reply, pass) => {
        void pass().then((answer) => answer.resume().once('end', () => reply.socket?.resetAndDestroy()));
        return true;
      },
    ],
  ];

  it.each(FAULTS)(
    'makes each call three times: two that %s',
    async (_name, fail) => {
      proxy.fault = twice(fail);
      const row = new UploadRow();
      const bytes = randomBytes(9 * MIB);
      await row.send(store, chunked(bytes));
      const key = await row.commit(store);
      expect((await contentOf(store, key)).equals(bytes)).toBe(true);
      expect(await store.stat(key)).toEqual({ size: bytes.length });
      await store.abandon(row.claim(), row.state);
      expect(await store.stat(key)).toBeNull();
    },
    60_000,
  );

  it('gives up after three times', async () => {
    proxy.fault = (_call, reply) => answerXml(reply, 503, 'SlowDown');
    await expect(store.stat(new UploadRow().key)).rejects.toBeInstanceOf(StoreUnavailable);
    expect(proxy.calls).toHaveLength(3);
  }, 20_000);

  it('takes an object whose size is not told for none of another size', async () => {
    const bytes = randomBytes(1000);
    const key = await store.put(new UploadRow().begin().target, bytes);
    proxy.fault = (_call, reply, pass) => {
      void passOnWith(reply, pass, (headers) => {
        delete headers['content-length'];
        if (headers['content-range']) headers['content-range'] = headers['content-range'].replace(/\/.*/, '/*');
      });
      return true;
    };
    await expect(store.stat(key)).rejects.toBeInstanceOf(StoreUnavailable);
    for (const range of [undefined, { first: 0, last: 999 }]) {
      const chunks: Buffer[] = [];
      for await (const chunk of await store.open(key, { size: 1000, ...(range && { range }) }))
        chunks.push(chunk as Buffer);
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    }
  });

  it('does not take an error in a 200 for a completion', async () => {
    const { row, bytes } = await rowWithParts(9 * MIB);
    let errors = 1;
    proxy.fault = ({ call }, reply) =>
      call === 'POST complete' && errors-- > 0 && answerXml(reply, 200, 'InternalError');
    expect((await contentOf(store, await row.commit(store))).equals(bytes)).toBe(true);
    const { row: other } = await rowWithParts(9 * MIB);
    proxy.fault = ({ call }, reply) => call === 'POST complete' && answerXml(reply, 200, 'InternalError');
    await expect(other.commit(store)).rejects.toBeInstanceOf(StoreUnavailable);
  });

  it('finds the object when the answer to a completion was lost', async () => {
    const { row, bytes } = await rowWithParts(9 * MIB);
    let isLost = false;
    proxy.fault = ({ call }, reply, pass) => {
      if (call !== 'POST complete' || isLost) return false;
      isLost = true;
      void pass().then((answer) => answer.resume().once('end', () => reply.destroy()));
      return true;
    };
    expect((await contentOf(store, await row.commit(store))).equals(bytes)).toBe(true);
    expect(isLost).toBe(true);
  });
});

describe('the S3 store, while the server is frozen', () => {
  /** Every call in the registry's requests ends this soon, so that its client has a clean 503 within 15 s. */
  const GIVEN_UP_MS = 14_500;

  it('gives each call up in time, and works again afterwards', async () => {
    const bucket = await startS3();
    const store = new S3Store(configOf(bucket), budget());
    const bytes = randomBytes(9 * MIB);
    const row = new UploadRow();
    await row.send(store, chunked(bytes));
    const small = await store.put(new UploadRow().begin().target, Buffer.from('x'));
    // Its multipart upload is there before, so it is the part that nobody takes.
    const going = new UploadRow();
    await going.send(store, chunked(randomBytes(9 * MIB)));
    const begun = new UploadRow();
    const halfway = (async function* () {
      yield* chunked(randomBytes(8 * MIB));
      process.kill(bucket.pid, 'SIGSTOP');
      yield* chunked(randomBytes(12 * MIB));
    })();
    const startedAt = Date.now();
    const calls = {
      'a large body': begun.send(store, halfway),
      ...(await new Promise<Record<string, Promise<unknown>>>((resolve) => {
        setTimeout(() => {
          resolve({
            'a part': going.send(store, chunked(randomBytes(9 * MIB))),
            'a small body': new UploadRow().send(store, chunked(randomBytes(1000))),
            'a completion': row.commit(store),
            'a read': store.open(small),
            'a size': store.stat(small),
            'a check': store.check(),
            'a deletion': store.delete([small]),
            'an end': store.abandon(begun.claim(), null),
          });
        }, 500);
      })),
    };
    const ends = await Promise.all(
      Object.entries(calls).map(async ([name, call]) => {
        const outcome = await call.then(
          () => 'succeeded',
          (error: unknown) => (error instanceof StoreUnavailable ? error.reason : String(error)),
        );
        return [name, outcome, Date.now() - startedAt < GIVEN_UP_MS ? 'in time' : Date.now() - startedAt];
      }),
    );
    process.kill(bucket.pid, 'SIGCONT');
    expect(ends).toEqual(Object.keys(calls).map((name) => [name, 'timeout', 'in time']));
    expect((await contentOf(store, await row.commit(store))).equals(bytes)).toBe(true);
    await store.close();
  }, 60_000);
});
