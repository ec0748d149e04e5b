import { Readable } from 'node:stream';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { someBytes, uniqueName } from '../conformance/documents.js';
import { signUp } from '../conformance/world.js';
import { digestOf } from '../support/content.js';
import type { Exchange } from '../support/http-exchange.js';
import { eventually } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import type { Upload } from '../support/upload.js';
import { query, storedThings, uploadRow } from './left-behind.js';

const MIB = 2 ** 20;

let registry: Registry;
let alice: RegistryClient;
let repository: string;
let before: string[];

beforeAll(async () => {
  registry = await startRegistry();
  alice = await signUp(registry.client, 'alice');
  await alice.pushBlob('alice/other', someBytes());
}, 90_000);

beforeEach(async () => {
  repository = `alice/${uniqueName('bad')}`;
  before = await storedThings(registry);
});

/** The upload is over, and nothing tells that it ever was. */
async function expectNothingLeft(upload: Upload): Promise<void> {
  const unknown = { code: 'BLOB_UPLOAD_UNKNOWN' };
  await upload.status().expect(404, unknown);
  await upload.patch(null, 'more').expect(404, unknown);
  expect(await uploadRow(registry, upload.id)).toBeUndefined();
  // The store is cleaned after the answer.
  await eventually('the store is as before', async () => {
    return JSON.stringify(await storedThings(registry)) === JSON.stringify(before);
  });
}

/** Bytes in each way that they can be kept between two requests: in the row, in a file or tail, in parts. */
const RECEIVED = [
  ['nothing', 0],
  ['a few bytes', 100],
  ['300 KiB', 300 * 1024],
  ['9 MiB', 9 * MIB],
] as const;

describe('an upload that ends with nothing left behind', () => {
  for (const [what, size] of RECEIVED) {
    it(`ends at a wrong digest after ${what}`, async () => {
      const upload = await alice.startUpload(repository);
      if (size > 0) await upload.patch(null, someBytes(size)).expect(202);
      const wrong = digestOf(someBytes());
      await upload.put(wrong).expect(400, { code: 'DIGEST_INVALID' });
      await alice.headBlob(repository, wrong).expect(404);
      await expectNothingLeft(upload);
    });

    it(`ends at a malformed digest or an unknown algorithm after ${what}`, async () => {
      for (const bad of ['sha256:beef', `md5:${'0'.repeat(32)}`, 'nonsense']) {
        const upload = await alice.startUpload(repository);
        if (size > 0) await upload.patch(null, someBytes(size)).expect(202);
        await upload.put(bad).expect(400, { code: 'DIGEST_INVALID' });
        await expectNothingLeft(upload);
      }
    });
  }

  it('ends at a wrong digest of a body in the closing PUT', async () => {
    for (const size of [10, 300 * 1024, 9 * MIB]) {
      const upload = await alice.startUpload(repository);
      await upload.put(digestOf('other'), someBytes(size)).expect(400, { code: 'DIGEST_INVALID' });
      await expectNothingLeft(upload);
    }
  });

  it('ends at a wrong digest of a chunked upload', async () => {
    const upload = await alice.startUpload(repository);
    await upload.patch('0-4', 'hello').expect(202);
    await upload.put(digestOf('hello world!'), ' world', { range: '5-10' }).expect(400, { code: 'DIGEST_INVALID' });
    await expectNothingLeft(upload);
  });

  it('leaves nothing of a single POST with a wrong or malformed digest', async () => {
    for (const bad of [digestOf('other'), digestOf('other', 'sha512'), 'sha256:beef', 'md5:00']) {
      await alice.postBlob(repository, someBytes(300 * 1024), bad).expect(400, { code: 'DIGEST_INVALID' });
    }
    const rows = await query(registry, 'SELECT u.id FROM uploads u JOIN repos r ON r.id = u.repo_id WHERE path = $1', [
      repository,
    ]);
    expect(rows).toEqual([]);
    await eventually('the store is as before', async () => {
      return JSON.stringify(await storedThings(registry)) === JSON.stringify(before);
    });
  });

  it('leaves nothing of a cancelled upload, whatever it had received', async () => {
    for (const [, size] of RECEIVED) {
      const upload = await alice.startUpload(repository);
      if (size > 0) await upload.patch(null, someBytes(size)).expect(202);
      // Seen to be there before it is seen to be gone.
      if (size > MIB) expect(await storedThings(registry)).not.toEqual(before);
      expect(await uploadRow(registry, upload.id)).toMatchObject({ received: String(size) });
      await upload.cancel().expect(204);
      await expectNothingLeft(upload);
    }
  });
});

describe('an upload that goes on', () => {
  /** What is acknowledged is there byte for byte, and the rest can follow. */
  async function finish(upload: Upload, acknowledged: Buffer): Promise<void> {
    const rest = someBytes(1000);
    const range = acknowledged.length === 0 ? '0-0' : `0-${acknowledged.length - 1}`;
    await upload.status().expect(204, { range });
    expect(await uploadRow(registry, upload.id)).toMatchObject({
      state: 'open',
      received: String(acknowledged.length),
    });
    const first = acknowledged.length;
    await upload.patch(`${first}-${first + rest.length - 1}`, rest).expect(202);
    const whole = Buffer.concat([acknowledged, rest]);
    await upload.put(digestOf(whole)).expect(201);
    expect((await alice.pullBlob(repository, digestOf(whole))).equals(whole)).toBe(true);
  }

  for (const size of [5, 300 * 1024, 9 * MIB]) {
    it(`goes on after a gap and an overlap (${size} bytes acknowledged)`, async () => {
      const upload = await alice.startUpload(repository);
      const bytes = someBytes(size);
      await upload.patch(`0-${size - 1}`, bytes).expect(202);
      const range = `0-${size - 1}`;
      const invalid = { code: 'BLOB_UPLOAD_INVALID', range };
      await upload.patch(`${size + 1}-${size + 5}`, 'a gap').expect(416, invalid);
      await upload.patch(`${size - 1}-${size + 1}`, 'lap').expect(416, invalid);
      await upload.patch(`0-${size - 1}`, bytes).expect(416, invalid);
      await upload.put(digestOf('x'), 'a gap', { range: `${size + 1}-${size + 5}` }).expect(416, invalid);
      await finish(upload, bytes);
    });
  }

  const LONGER_OR_SHORTER: readonly (readonly [string, (upload: Upload) => Exchange])[] = [
    ['a chunk shorter than its range', (upload) => upload.patch('5-14', 'short')],
    ['a chunk longer than its range', (upload) => upload.patch('5-7', 'much longer')],
    ['a chunk of unknown length shorter than its range', (upload) => upload.patch('5-14', Readable.from(['short']))],
    ['a chunk of unknown length longer than its range', (upload) => upload.patch('5-7', Readable.from(['longer']))],
    ['a last chunk shorter than its range', (upload) => upload.put(digestOf('short'), 'short', { range: '5-14' })],
    ['a last chunk longer than its range', (upload) => upload.put(digestOf('long'), 'long', { range: '5-6' })],
  ];
  for (const [what, sendIt] of LONGER_OR_SHORTER) {
    it(`goes on after ${what}`, async () => {
      const upload = await alice.startUpload(repository);
      await upload.patch('0-4', 'hello').expect(202);
      await sendIt(upload).expect(400, { code: 'SIZE_INVALID' });
      await finish(upload, Buffer.from('hello'));
    });
  }

  for (const size of [300 * 1024, 9 * MIB]) {
    it(`goes on after a chunk of ${size} bytes that is not as long as its range`, async () => {
      const upload = await alice.startUpload(repository);
      const [first, second] = [someBytes(size), someBytes(size)];
      await upload.patch(`0-${size - 1}`, first).expect(202);
      for (const end of [2 * size - 2, 2 * size]) {
        const range = `${size}-${end}`;
        await upload.patch(range, Readable.from([second])).expect(400, { code: 'SIZE_INVALID' });
        await upload.patch(range, second).expect(400, { code: 'SIZE_INVALID' });
      }
      await finish(upload, first);
    });
  }

  const CUT_OFF: readonly (readonly [string, number, number])[] = [
    ['nothing, cut off at once', 0, 0],
    ['nothing, cut off after 100 KiB', 0, 100 * 1024],
    ['5 bytes, cut off after 100 KiB', 5, 100 * 1024],
    ['300 KiB, cut off after 10 MiB', 300 * 1024, 10 * MIB],
    ['9 MiB, cut off after 100 KiB', 9 * MIB, 100 * 1024],
  ];
  for (const [what, acknowledged, sent] of CUT_OFF) {
    it(`goes on when the client is gone in the middle of a body: ${what}`, async () => {
      const upload = await alice.startUpload(repository);
      const bytes = someBytes(acknowledged);
      if (acknowledged > 0) await upload.patch(`0-${acknowledged - 1}`, bytes).expect(202);
      await cutOff(upload, 'PATCH', acknowledged, sent);
      await finish(upload, bytes);
    });
  }

  it('goes on when the client is gone in the middle of the closing PUT', async () => {
    const upload = await alice.startUpload(repository);
    await upload.patch('0-4', 'hello').expect(202);
    await cutOff(upload, 'PUT', 5, 100 * 1024);
    await finish(upload, Buffer.from('hello'));
  });

  /** Announces 20 MiB, sends `sent` bytes of it and breaks the connection; resolves when the server has noticed. */
  async function cutOff(upload: Upload, method: 'PATCH' | 'PUT', start: number, sent: number): Promise<void> {
    const length = 20 * MIB;
    const path = method === 'PUT' ? `${upload.path}?digest=${digestOf('never')}` : upload.path;
    const headers = {
      'content-type': 'application/octet-stream',
      'content-length': String(length),
      'content-range': `${start}-${start + length - 1}`,
    };
    const lines = (): number => registry.events().filter((line) => JSON.stringify(line).includes(upload.id)).length;
    const known = lines();
    const request = await alice.open(method, path, headers);
    request.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      if (sent === 0) request.flushHeaders();
      request.write(sent === 0 ? '' : someBytes(sent), () => {
        resolve();
      });
    });
    await eventually('the registry reads the body', async () => {
      return ((await uploadRow(registry, upload.id))?.epoch ?? 0) > 0 || sent === 0;
    });
    request.destroy();
    await eventually('the registry has noticed', () => lines() > known, 10_000);
  }

  it('forgets what it had received when it expires, and then nothing is left', async () => {
    for (const [, size] of RECEIVED) {
      const upload = await alice.startUpload(repository);
      if (size > 0) await upload.patch(null, someBytes(size)).expect(202);
      await query(registry, `UPDATE uploads SET expires_at = now() - interval '1 minute' WHERE id = $1`, [upload.id]);
      const unknown = { code: 'BLOB_UPLOAD_UNKNOWN' };
      await upload.patch(null, 'more').expect(404, unknown);
      await upload.put(digestOf('x'), 'x').expect(404, unknown);
      await upload.status().expect(404, unknown);
    }
    await eventually('the sweep removed the rows', async () => {
      const rows = await query(registry, 'SELECT id FROM uploads WHERE expires_at < now()');
      return rows.length === 0 && JSON.stringify(await storedThings(registry)) === JSON.stringify(before);
    });
  }, 60_000);
});
