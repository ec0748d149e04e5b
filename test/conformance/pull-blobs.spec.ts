import { beforeAll, describe, expect } from '@jest/globals';
import { readByteranges } from '../support/byteranges.js';
import { digestOf, unknownDigest } from '../support/content.js';
import type { Headers } from '../support/http-exchange.js';
import { pull, someBytes } from './documents.js';
import { must, optional, ours, should } from './requirement.js';
import { useWorld, type World } from './world.js';

const SIZE = 2048;

/** On S3 a pull is a redirect unless streaming is switched on; both must look the same to a client. */
const WAYS: readonly (readonly [way: string, environment: Readonly<Record<string, string>>])[] =
  process.env['TEST_STORE'] === 's3'
    ? [
        ['by redirect', { STORAGE_REDIRECT: 'true' }],
        ['streamed', { STORAGE_REDIRECT: 'false' }],
        ['streamed to a network that cannot reach the store', { STORAGE_STREAM_CIDRS: '127.0.0.0/8' }],
      ]
    : [['streamed', {}]];

const SATISFIABLE = [
  ['bytes=500-1499', 500, 1499],
  ['bytes=500-', 500, SIZE - 1],
  ['bytes=-500', SIZE - 500, SIZE - 1],
  ['bytes=2000-5000', 2000, SIZE - 1],
  ['bytes=0-0', 0, 0],
  ['bytes=-5000', 0, SIZE - 1],
] as const;

interface Target {
  readonly bytes: Buffer;
  readonly digest: string;
  repository: string;
  /** Whether clients are sent to the store. */
  readonly isElsewhere: boolean;
}

describe.each(WAYS.map(([way, environment]) => ({ way, environment })))('blobs $way', ({ environment }) => {
  const world = useWorld(environment);
  const bytes = someBytes(SIZE);
  const target: Target = {
    bytes,
    digest: digestOf(bytes),
    repository: '',
    isElsewhere: environment['STORAGE_REDIRECT'] === 'true',
  };

  beforeAll(async () => {
    target.repository = world.newRepository();
    await world.alice.pushBlob(target.repository, bytes);
  });

  pullingBlobs(world, target);
  checkingBlobs(world, target);
  rangesOfBlobs(world, target);
  if (target.isElsewhere) severalRangesElsewhere(world, target);
  else severalRanges(world, target);
});

function pullingBlobs(world: World, target: Target): void {
  describe('Pulling blobs (end-2)', () => {
    must('answers a GET with 200 and exactly the blob', async () => {
      const { final } = await pull(world.alice, target.repository, target.digest);
      expect(final.expect(200).body).toEqual(target.bytes);
    });

    ours('comes from the place that the configuration says, also for a range', async () => {
      for (const headers of [{}, { range: 'bytes=5-9' }]) {
        const { registry } = await pull(world.alice, target.repository, target.digest, headers);
        expect(registry.status === 307).toBe(target.isElsewhere);
      }
    });

    must('names the digest in Docker-Content-Digest', async () => {
      const { registry } = await pull(world.alice, target.repository, target.digest);
      expect(registry.header('docker-content-digest')).toBe(target.digest);
    });

    must('answers 404 for a blob that the repository does not have', async () => {
      const missing = unknownDigest();
      await world.alice.getBlob(target.repository, missing).expect(404, { code: 'BLOB_UNKNOWN' });
      const unborn = await world.alice.getBlob(world.newRepository(), missing).expect(404);
      expect(['BLOB_UNKNOWN', 'NAME_UNKNOWN']).toContain(unborn.codes[0]);
    });

    must('does not find a blob through a repository that does not hold it', async () => {
      const other = world.newRepository();
      await world.alice.pushBlob(other, someBytes());
      await world.alice.getBlob(other, target.digest).expect(404, { code: 'BLOB_UNKNOWN' });
      await world.alice.headBlob(other, target.digest).expect(404);
    });

    should('answers 400 for a digest that is malformed or of an unknown algorithm', async () => {
      const upperCase = `sha256:${'A'.repeat(64)}`;
      for (const bad of ['sha256:beef', upperCase, `md5:${'0'.repeat(32)}`, `sha256:${'g'.repeat(64)}`]) {
        await world.alice.getBlob(target.repository, bad).expect(400, { code: 'DIGEST_INVALID' });
      }
    });

    ours('gives an empty blob with Content-Length 0', async () => {
      const digest = await world.alice.pushBlob(target.repository, '');
      const { final } = await pull(world.alice, target.repository, digest);
      expect(final.expect(200).body).toHaveLength(0);
      await world.alice.headBlob(target.repository, digest).expect(200, { digest, headers: { 'content-length': '0' } });
    });

    ours('serves sha512 under the digest that was asked for', async () => {
      const digest = await world.alice.pushBlob(target.repository, someBytes(), 'sha512');
      const { registry, final } = await pull(world.alice, target.repository, digest);
      expect(registry.header('docker-content-digest')).toBe(digest);
      expect(digestOf(final.expect(200).body, 'sha512')).toBe(digest);
    });

    ours('is typed as bytes that no browser may interpret', async () => {
      const { registry, final } = await pull(world.alice, target.repository, target.digest);
      expect(registry.header('x-content-type-options')).toBe('nosniff');
      expect(final.header('content-type')).toBe('application/octet-stream');
    });

    ours('ignores the ns parameter', async () => {
      await world.alice.request('HEAD', `/v2/${target.repository}/blobs/${target.digest}?ns=docker.io`).expect(200);
    });

    ours('never lets a redirect be cached, since its address expires', async () => {
      const { registry, final } = await pull(world.alice, target.repository, target.digest);
      if (registry !== final) expect(registry.header('cache-control')).toContain('no-store');
    });
  });
}

function checkingBlobs(world: World, target: Target): void {
  describe('Checking if content exists in the registry: blobs (end-2)', () => {
    must('answers a HEAD of a blob with 200, its digest and its size', async () => {
      const { digest } = target;
      const reply = await world.alice
        .headBlob(target.repository, digest)
        .expect(200, { digest, headers: { 'content-length': String(SIZE) } });
      expect(reply.body).toHaveLength(0);
    });

    must('answers a HEAD with 404 when the blob is not there', async () => {
      await world.alice.headBlob(target.repository, unknownDigest()).expect(404);
      await world.alice.headBlob(target.repository, unknownDigest('sha512')).expect(404);
      await world.alice.headBlob(world.newRepository(), target.digest).expect(404);
    });

    ours('announces ranges, type and an ETag on HEAD', async () => {
      await world.alice.headBlob(target.repository, target.digest).expect(200, {
        headers: {
          'accept-ranges': 'bytes',
          'content-type': 'application/octet-stream',
          etag: new RegExp(target.digest),
        },
      });
    });

    ours('answers 304 to If-None-Match, since bytes never change', async () => {
      const etag = (await world.alice.headBlob(target.repository, target.digest)).need('etag');
      await world.alice.getBlob(target.repository, target.digest, { 'if-none-match': etag }).expect(304);
    });
  });
}

function rangesOfBlobs(world: World, target: Target): void {
  describe('Pulling blobs: the Range header, RFC 9110 section 14', () => {
    for (const [range, first, last] of SATISFIABLE) {
      should(`answers ${range} with 206 and those bytes`, async () => {
        const { final } = await pull(world.alice, target.repository, target.digest, { range });
        final.expect(206, {
          headers: { 'content-range': `bytes ${first}-${last}/${SIZE}`, 'content-length': String(last - first + 1) },
        });
        expect(final.body).toEqual(target.bytes.subarray(first, last + 1));
      });
    }

    for (const range of ['bytes=5000-10000', `bytes=${SIZE}-`, 'bytes=-0', 'bytes=500-0']) {
      should(`answers ${range} with 416, by itself`, async () => {
        await world.alice.getBlob(target.repository, target.digest, { range }).expect(416);
      });
    }

    should('ignores a range unit that it does not know', async () => {
      const { final } = await pull(world.alice, target.repository, target.digest, { range: 'lines=1-2' });
      expect(final.expect(200).body).toEqual(target.bytes);
    });

    ours('serves ranges of one blob asked for in parallel, as containerd does', async () => {
      const ranges = [0, 512, 1024, 1536].map((start) => `bytes=${start}-${start + 511}`);
      const pulled = await Promise.all(
        ranges.map((range) => pull(world.alice, target.repository, target.digest, { range })),
      );
      expect(Buffer.concat(pulled.map(({ final }) => final.expect(206).body))).toEqual(target.bytes);
    });
  });
}

function severalRanges(world: World, target: Target): void {
  const ask = (range: string, headers: Headers = {}) =>
    world.alice.getBlob(target.repository, target.digest, { range, ...headers });

  describe('Pulling blobs: several ranges in one request, RFC 9110 section 14.6', () => {
    for (const [asked, ...expected] of [
      ['0-99,500-599', '0-99', '500-599'],
      ['1500-1599, 0-0 ,-1', '1500-1599', '0-0', `${SIZE - 1}-${SIZE - 1}`],
      ['0-9,5-14', '0-9', '5-14'],
      [`0-9,${SIZE}-,20-29`, '0-9', '20-29'],
    ] as const) {
      optional(`answers bytes=${asked} with 206 and a part for each`, async () => {
        const reply = await ask(`bytes=${asked}`).expect(206, {
          digest: target.digest,
          headers: { 'content-length': /^\d+$/, 'accept-ranges': 'bytes' },
        });
        expect(reply.header('content-range')).toBeUndefined();
        const parts = readByteranges(reply.need('content-type'), reply.body);
        expect(parts.map(({ range }) => range)).toEqual(expected.map((range) => `bytes ${range}/${SIZE}`));
        for (const [index, range] of expected.entries()) {
          const [first = 0, last = 0] = range.split('-').map(Number);
          expect(parts[index]).toMatchObject({ type: 'application/octet-stream' });
          expect(parts[index]?.bytes).toEqual(target.bytes.subarray(first, last + 1));
        }
      });
    }

    optional('answers as one range when only one of several is inside', async () => {
      const headers = { 'content-range': `bytes 5-9/${SIZE}`, 'content-type': 'application/octet-stream' };
      const reply = await ask(`bytes=5-9,${SIZE}-`).expect(206, { headers });
      expect(reply.body).toEqual(target.bytes.subarray(5, 10));
    });

    optional('serves as many as podman asks for at once, and everything for more', async () => {
      const ranges = Array.from({ length: SIZE / 2 }, (_, index) => `${2 * index}-${2 * index}`);
      const many = await ask(`bytes=${ranges.slice(0, 1024).join()}`).expect(206);
      expect(readByteranges(many.need('content-type'), many.body)).toHaveLength(1024);
      await ask(`bytes=${ranges.join()},1-1`).expect(200);
    });

    optional('answers with everything when the ranges are malformed, or together longer than the blob', async () => {
      for (const range of ['bytes=0-1,b-c', 'bytes=0-1,9-8', 'bytes=0-,0-', `bytes=0-${SIZE - 1},0-0`]) {
        expect((await ask(range).expect(200)).body).toEqual(target.bytes);
      }
    });

    should('answers with 416 when none is inside', async () => {
      await ask(`bytes=${SIZE}-,9999-`).expect(416, { headers: { 'content-range': `bytes */${SIZE}` } });
    });

    should('ignores them for HEAD, and for If-Range with another tag', async () => {
      await world.alice
        .headBlob(target.repository, target.digest, { range: 'bytes=0-1,5-6' })
        .expect(200, { headers: { 'content-length': String(SIZE) } });
      await ask('bytes=0-1,5-6', { 'if-range': '"other"' }).expect(200);
      await ask('bytes=0-1,5-6', { 'if-range': `"${target.digest}"` }).expect(206);
    });
  });
}

function severalRangesElsewhere(world: World, target: Target): void {
  describe('Pulling blobs: several ranges in one request', () => {
    ours('are the store’s to answer: with a part for each, or with everything', async () => {
      const range = 'bytes=0-9,500-509';
      const { registry, final } = await pull(world.alice, target.repository, target.digest, { range });
      expect(registry.status).toBe(307);
      if (final.status === 200) expect(final.body).toEqual(target.bytes);
      else expect(final.expect(206).need('content-type')).toContain('multipart/byteranges');
    });
  });
}
