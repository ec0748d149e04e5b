import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { someBytes, uniqueName } from '../conformance/documents.js';
import { signUp } from '../conformance/world.js';
import { digestOf } from '../support/content.js';
import { eventually } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import type { Upload } from '../support/upload.js';
import { query, storedThings, uploadRow } from './left-behind.js';

const MIB = 2 ** 20;

let one: Registry;
let two: Registry;
let here: RegistryClient;
let there: RegistryClient;
let repository: string;

/** Two nodes over one database and one store, as behind a load balancer that knows no sessions. */
beforeAll(async () => {
  one = await startRegistry();
  two = await startRegistry({ like: one });
  here = await signUp(one.client, 'alice');
  const { username = '', password = '' } = here.options;
  there = two.client.as(username, password);
}, 120_000);

beforeEach(() => {
  repository = `alice/${uniqueName('nodes')}`;
});

/** The same upload through the other node. */
function elsewhere(client: RegistryClient, upload: Upload): Upload {
  return client.uploadAt(upload.repository, upload.location);
}

describe('an upload whose requests reach different nodes', () => {
  for (const size of [1000, 300 * 1024, 9 * MIB]) {
    it(`goes on at each of them, in chunks of ${size} bytes`, async () => {
      const bytes = someBytes(size * 4);
      const upload = await here.startUpload(repository);
      for (const [index, client] of [there, here, there].entries()) {
        const start = index * size;
        const chunk = bytes.subarray(start, start + size);
        await elsewhere(client, upload)
          .patch(`${start}-${start + size - 1}`, chunk)
          .expect(202, { range: `0-${start + size - 1}` });
      }
      const last = bytes.subarray(size * 3);
      const range = `${size * 3}-${size * 4 - 1}`;
      await elsewhere(here, upload)
        .put(digestOf(bytes), last, { range })
        .expect(201, { digest: digestOf(bytes) });
      expect((await there.pullBlob(repository, digestOf(bytes))).equals(bytes)).toBe(true);
    }, 60_000);
  }

  it('is streamed to one and closed at the other, and a repeated PUT gets its 201 from either', async () => {
    const bytes = someBytes(9 * MIB + 17);
    const upload = await here.startUpload(repository);
    await upload.patch(null, Readable.from([bytes])).expect(202);
    for (const client of [there, here, there]) {
      await elsewhere(client, upload)
        .put(digestOf(bytes))
        .expect(201, { digest: digestOf(bytes) });
    }
    expect((await here.pullBlob(repository, digestOf(bytes))).equals(bytes)).toBe(true);
  });

  it('is seen by both at once: what one acknowledged, the other finds', async () => {
    for (let round = 0; round < 20; round++) {
      const bytes = someBytes(100);
      await there.headBlob(repository, digestOf(bytes)).expect(404);
      await here.pushBlob(repository, bytes);
      await there.headBlob(repository, digestOf(bytes)).expect(200);
      await there.deleteBlob(repository, digestOf(bytes)).expect(202);
      await here.headBlob(repository, digestOf(bytes)).expect(404);
    }
  });
});

describe('a node that is killed', () => {
  it('in the middle of a body loses nothing that was acknowledged, and the push goes on elsewhere', async () => {
    const victim = await startRegistry({ like: one });
    const { username = '', password = '' } = here.options;
    const client = victim.client.as(username, password);
    const [first, second] = [someBytes(9 * MIB), someBytes(20 * MIB)];
    const upload = await client.startUpload(repository);
    await upload.patch(`0-${first.length - 1}`, first).expect(202);
    const epoch = (await uploadRow(one, upload.id))?.epoch ?? 0;
    await dieWhileSending(client, upload, first.length, second, victim);
    expect((await uploadRow(one, upload.id))?.epoch).toBeGreaterThan(epoch);

    const range = `0-${first.length - 1}`;
    const rest = elsewhere(there, upload);
    await rest.status().expect(204, { range });
    await rest.patch(`${first.length}-${first.length + second.length - 1}`, second).expect(202);
    const whole = Buffer.concat([first, second]);
    await elsewhere(here, upload).put(digestOf(whole)).expect(201);
    expect((await there.pullBlob(repository, digestOf(whole))).equals(whole)).toBe(true);
    client.close();
  }, 120_000);

  it('leaves nothing in the store once its uploads have expired', async () => {
    const victim = await startRegistry({ like: one });
    const { username = '', password = '' } = here.options;
    const client = victim.client.as(username, password);
    const upload = await client.startUpload(repository);
    await upload.patch(`0-${9 * MIB - 1}`, someBytes(9 * MIB)).expect(202);
    await dieWhileSending(client, upload, 9 * MIB, someBytes(20 * MIB), victim);
    expect((await storedThings(one)).some((thing) => thing.includes(upload.id))).toBe(true);
    await query(one, `UPDATE uploads SET expires_at = now() - interval '1 minute' WHERE id = $1`, [upload.id]);
    await eventually('a living node sweeps', async () => (await uploadRow(one, upload.id)) === undefined, 60_000);
    // By its name, as blobs of the tests above may be joined to one file meanwhile.
    await eventually('the store has nothing of it', async () => {
      return !(await storedThings(one)).some((thing) => thing.includes(upload.id));
    });
    client.close();
  }, 120_000);

  /** Sends half of a chunk, and kills the node once it has begun to write it. */
  async function dieWhileSending(
    client: RegistryClient,
    upload: Upload,
    start: number,
    bytes: Buffer,
    victim: Registry,
  ): Promise<void> {
    const claimed = (await uploadRow(one, upload.id))?.epoch ?? 0;
    const request = await client.open('PATCH', upload.path, {
      'content-type': 'application/octet-stream',
      'content-length': String(bytes.length),
      'content-range': `${start}-${start + bytes.length - 1}`,
    });
    request.on('error', () => undefined);
    const closed = new Promise((resolve) => request.once('close', resolve));
    request.write(bytes.subarray(0, bytes.length / 2));
    await eventually('the body is being written', async () => {
      return ((await uploadRow(one, upload.id))?.epoch ?? 0) > claimed;
    });
    await victim.kill();
    await closed;
  }
});

describe('memory of a node', () => {
  it('does not grow with the size of what is pushed at once', async () => {
    const status = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${one.pid}/status`, 'utf8'))?.[1]) / 1024;
    const before = status();
    const block = someBytes(MIB);
    const body = (): Readable => Readable.from(Array.from({ length: 128 }, () => block));
    const digest = digestOf(Buffer.concat(Array.from({ length: 128 }, () => block)));
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        const upload = await here.startUpload(repository);
        await upload.patch(null, body(), { timeoutMs: 120_000 }).expect(202);
        await upload.put(digest, undefined, { timeoutMs: 120_000 }).expect(201);
      }),
    );
    expect(status() - before).toBeLessThan(250);
  }, 180_000);
});
