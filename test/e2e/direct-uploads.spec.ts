// needs: versitygw minio
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { someBytes, uniqueName } from '../conformance/documents.js';
import { signUp } from '../conformance/world.js';
import { holdCalls, type S3Proxy, startProxy } from '../contracts/s3-proxy.js';
import { digestOf } from '../support/content.js';
import type { Reply } from '../support/http-exchange.js';
import { eventually } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { casesHere } from '../support/soak.js';
import { freshBucket, type S3Kind } from '../support/s3.js';
import { sendSigned } from '../support/signed-request.js';
import { expectProblem, pathOf } from './content-api.js';
import { query, storedThings, uploadRow } from './left-behind.js';

const MIB = 2 ** 20;

interface Signed {
  readonly url: string;
  readonly headers: Record<string, string>;
}

interface Started {
  readonly id: string;
  readonly state: string;
  readonly put?: Signed;
  readonly parts?: { readonly size: number; readonly count: number };
}

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const inverted = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0xff));

/** Each store in one setting: whether there is Redis, and which PostgreSQL, is nothing to it. */
const STORES = casesHere<S3Kind>({ filesystem: ['minio'], s3: ['versitygw'] });

describe.each(STORES)('a direct upload to %s', (kind) => {
  let proxy: S3Proxy;
  let one: Registry;
  let two: Registry;
  let alice: RegistryClient;
  let alsoAlice: RegistryClient;
  let bob: RegistryClient;
  let repository: string;

  /** Nodes reach the store through the proxy, clients without it: the proxy sees what nodes transfer. */
  beforeAll(async () => {
    const bucket = await freshBucket(kind);
    proxy = await startProxy(bucket.endpoint);
    const env = { ...bucket.env, S3_ENDPOINT: proxy.endpoint, S3_PUBLIC_ENDPOINT: bucket.endpoint };
    one = await startRegistry({ env });
    // The bucket is the test's own, so `storedThings` has to be told of it.
    one.store = { type: 's3', bucket };
    two = await startRegistry({ like: one });
    alice = await signUp(one.client, 'alice');
    bob = await signUp(one.client, 'bob');
    const { username = '', password = '' } = alice.options;
    alsoAlice = two.client.as(username, password);
  }, 120_000);
  afterAll(() => proxy.close());

  beforeEach(() => {
    repository = `alice/${uniqueName('direct')}`;
    proxy.fault = null;
  });

  const announce = (client: RegistryClient, body: object, name = repository): Promise<Reply> =>
    client.api('POST', pathOf(name, '/blobs/uploads'), body).then((reply) => reply);

  async function start(body: object): Promise<Started & { location: string }> {
    const reply = (await announce(alice, body)).expect(201);
    return { ...reply.json<Started>(), location: reply.need('location') };
  }

  async function startPut(bytes: Buffer): Promise<{ location: string; id: string; put: Signed }> {
    const { put, ...rest } = await start({ digest: digestOf(bytes), size: bytes.length });
    if (!put) throw new Error('no PUT was offered');
    return { ...rest, put };
  }

  async function sendParts(location: string, bytes: Buffer, size: number, numbers: readonly number[]): Promise<void> {
    const partOf = (number: number): Buffer => bytes.subarray((number - 1) * size, number * size);
    const announced = numbers.map((number) => {
      const part = partOf(number);
      return { number, sha256: sha256Of(part), size: part.length };
    });
    const reply = await alice.api('POST', `${location}/parts`, { parts: announced }).expect(200);
    for (const { number, ...signed } of reply.json<{ parts: (Signed & { number: number })[] }>().parts) {
      expect((await sendSigned(signed, partOf(number))).status).toBe(200);
    }
  }

  async function settled(location: string, client = alice): Promise<Record<string, unknown>> {
    let last: Record<string, unknown> = {};
    await eventually('the upload is judged', async () => {
      last = (await client.api('GET', location).expect(200)).json();
      return last['state'] !== 'verifying';
    });
    return last;
  }

  /** Calls of nodes since then that carry an object's bytes. */
  function transfers(since: number): string[] {
    const carriers = ['PUT', 'PUT part', 'GET'];
    return proxy.calls.slice(since).flatMap(({ call }) => (carriers.includes(call) ? [call] : []));
  }

  describe('in one PUT', () => {
    it('is verified by the store, becomes a blob, and passes no byte through a node', async () => {
      const first = await startPut(someBytes(100)); // by now the store has been asked whether it verifies
      const bytes = someBytes(3 * MIB);
      const since = proxy.calls.length;
      const { put, location, id } = await startPut(bytes);
      expect(Object.keys(put.headers).sort()).toEqual(['content-length', 'if-none-match', 'x-amz-checksum-sha256']);
      expect((await sendSigned(put, bytes)).status).toBe(200);
      const done = await alice.api('POST', `${location}/complete`).expect(201);
      expect(done.json()).toMatchObject({ id, state: 'done', digest: digestOf(bytes), size: bytes.length });
      expect(transfers(since)).toEqual([]);
      expect((await alice.pullBlob(repository, digestOf(bytes))).equals(bytes)).toBe(true);
      await alice.api('DELETE', first.location).expect(204);
    }, 60_000);

    it('is refused by the store with other bytes, and incomplete until the right ones are there', async () => {
      const bytes = someBytes(5_000);
      const { put, location } = await startPut(bytes);
      expect((await sendSigned(put, inverted(bytes))).status).toBeGreaterThanOrEqual(400);
      expectProblem(await alice.api('POST', `${location}/complete`).expect(409), 'UPLOAD_INCOMPLETE');
      expect((await sendSigned(put, bytes)).status).toBe(200);
      await alice.api('POST', `${location}/complete`).expect(201);
    });

    it('gets the same answer when it is completed again, also twice at once on two nodes', async () => {
      const bytes = someBytes(5_000);
      const { put, location } = await startPut(bytes);
      await sendSigned(put, bytes);
      await Promise.all(
        [alice, alsoAlice, alice, alsoAlice].map((client) => client.api('POST', `${location}/complete`).expect(201)),
      );
      await alsoAlice.api('POST', `${location}/complete`).expect(201);
      await alice.api('DELETE', location).expect(404);
      expect((await alsoAlice.pullBlob(repository, digestOf(bytes))).equals(bytes)).toBe(true);
    });

    it('cannot be changed by who still has the URL', async () => {
      const bytes = someBytes(5_000);
      const { put, location } = await startPut(bytes);
      await sendSigned(put, bytes);
      await alice.api('POST', `${location}/complete`).expect(201);
      await sendSigned(put, bytes);
      expect((await sendSigned(put, inverted(bytes))).status).toBeGreaterThanOrEqual(400);
      expect((await alice.pullBlob(repository, digestOf(bytes))).equals(bytes)).toBe(true);
    });

    it('leaves the object of whoever was earlier, and nothing of itself', async () => {
      const bytes = someBytes(5_000);
      const uploads = [await startPut(bytes), await startPut(bytes)];
      for (const { put } of uploads) await sendSigned(put, bytes);
      for (const { location } of uploads) await alice.api('POST', `${location}/complete`).expect(201);
      await eventually('one object is left', async () => {
        const things = await storedThings(one);
        return uploads.filter(({ id }) => things.some((thing) => thing.includes(id))).length === 1;
      });
      expect((await alice.pullBlob(repository, digestOf(bytes))).equals(bytes)).toBe(true);
    }, 60_000);

    it('leaves nothing when it was cancelled, whatever came after that with its URL', async () => {
      const bytes = someBytes(5_000);
      const { put, location, id } = await startPut(bytes);
      await alice.api('DELETE', location).expect(204);
      for (const method of ['GET', 'DELETE']) await alice.api(method, location).expect(404);
      await alice.api('POST', `${location}/complete`).expect(404);
      expect((await sendSigned(put, bytes)).status).toBe(200);
      await query(one, `UPDATE uploads SET expires_at = now() - interval '1 minute' WHERE id = $1`, [id]);
      await eventually('a node sweeps', async () => (await uploadRow(one, id)) === undefined, 60_000);
      expect((await storedThings(one)).filter((thing) => thing.includes(id))).toEqual([]);
      await alice.headBlob(repository, digestOf(bytes)).expect(404);
    }, 90_000);

    it('is not needed for what the repository holds, or for what its caller may mount', async () => {
      const bytes = someBytes(5_000);
      const digest = digestOf(bytes);
      await alice.pushBlob(repository, bytes);
      for (const name of [repository, `alice/${uniqueName('mount')}`]) {
        const reply = (await announce(alice, { digest, size: bytes.length }, name)).expect(200);
        expect(reply.json()).toEqual({ state: 'done', digest, size: bytes.length });
        await alice.headBlob(name, digest).expect(200);
      }
      // What others hold in private is as unknown as what nobody has.
      (await announce(bob, { digest, size: bytes.length }, `bob/${uniqueName('other')}`)).expect(201);
    });
  });

  describe('in parts', () => {
    const size = 16 * MIB;

    it('is read once by one node, and no other byte of it passes one', async () => {
      const bytes = someBytes(size + 1_000);
      const since = proxy.calls.length;
      const { location, parts } = await start({ digest: digestOf(bytes), size: bytes.length, multipart: true });
      expect(parts).toEqual({ size, count: 2 });
      await sendParts(location, bytes, size, [2, 1]);
      const release = holdCalls(proxy, 'GET'); // once a node has read it the answer is 201, as right
      const reply = await alice.api('POST', `${location}/complete`).expect(202);
      release();
      expect(reply.need('location')).toBe(location);
      expect(reply.need('retry-after')).toBe('1');
      expect(reply.json()).toMatchObject({ state: 'verifying' });
      expect(await settled(location)).toMatchObject({ state: 'done', size: bytes.length });
      expect(transfers(since)).toEqual(['GET']);
      await alsoAlice.api('POST', `${location}/complete`).expect(201);
      expect((await alice.pullBlob(repository, digestOf(bytes))).equals(bytes)).toBe(true);
    }, 60_000);

    it('is incomplete without one of them', async () => {
      const bytes = someBytes(size + 1_000);
      const { location } = await start({ digest: digestOf(bytes), size: bytes.length, multipart: true });
      await sendParts(location, bytes, size, [1]);
      const problem = expectProblem(await alice.api('POST', `${location}/complete`).expect(409), 'UPLOAD_INCOMPLETE');
      expect(problem['detail']).toBe('missing: part 2');
      await sendParts(location, bytes, size, [2]);
      await Promise.all(
        [alice, alsoAlice].map((client) => client.api('POST', `${location}/complete`).expect([201, 202])),
      );
      expect(await settled(location)).toMatchObject({ state: 'done' });
    }, 60_000);

    it('may have a SHA-512, which the store does not know', async () => {
      const bytes = someBytes(5_000);
      const digest = digestOf(bytes, 'sha512');
      const { location, parts } = await start({ digest, size: bytes.length });
      expect(parts?.count).toBe(1);
      await sendParts(location, bytes, size, [1]);
      const release = holdCalls(proxy, 'GET');
      await alice.api('POST', `${location}/complete`).expect(202);
      release();
      expect(await settled(location)).toMatchObject({ state: 'done', digest });
      expect((await alice.pullBlob(repository, digest)).equals(bytes)).toBe(true);
    }, 60_000);

    it('fails when the whole has another digest, says why, and leaves no byte', async () => {
      const bytes = someBytes(5_000);
      const { location, id } = await start({ digest: digestOf(bytes), size: bytes.length, multipart: true });
      await sendParts(location, inverted(bytes), size, [1]); // each part is what its own checksum says
      const release = holdCalls(proxy, 'GET');
      await alice.api('POST', `${location}/complete`).expect(202);
      release();
      const failed = await settled(location);
      expect(failed).toMatchObject({ state: 'failed', reason: 'the bytes do not have the digest' });
      expectProblem(await alice.api('POST', `${location}/complete`).expect(422), 'DIGEST_MISMATCH');
      await alice.headBlob(repository, digestOf(bytes)).expect(404);
      await eventually('its bytes are gone', async () => {
        return !(await storedThings(one)).some((thing) => thing.includes(id));
      });
    }, 90_000);

    it('is judged by another node when the one that read it died', async () => {
      const bytes = someBytes(5_000);
      const victim = await startRegistry({ like: one });
      const { username = '', password = '' } = alice.options;
      const client = victim.client.as(username, password);
      const { location, id } = await start({ digest: digestOf(bytes), size: bytes.length, multipart: true });
      await sendParts(location, bytes, size, [1]);
      let isHeld = true;
      proxy.fault = ({ call }) => call === 'GET' && isHeld; // whoever reads waits
      await client.api('POST', `${location}/complete`).expect(202);
      await eventually('the node reads', async () => ((await uploadRow(one, id))?.epoch ?? 0) > 1);
      await victim.kill();
      isHeld = false;
      await query(one, 'UPDATE uploads SET verify_after = now() WHERE id = $1', [id]); // its lease has ended
      expect(await settled(location)).toMatchObject({ state: 'done' });
      client.close();
    }, 60_000);

    it('is cancelled while it is read', async () => {
      const bytes = someBytes(5_000);
      const { location, id } = await start({ digest: digestOf(bytes), size: bytes.length, multipart: true });
      await sendParts(location, bytes, size, [1]);
      const release = holdCalls(proxy, 'GET');
      await alice.api('POST', `${location}/complete`).expect(202);
      await eventually('a node reads', async () => ((await uploadRow(one, id))?.epoch ?? 0) > 1);
      await alice.api('DELETE', location).expect(204);
      release();
      await eventually('its bytes are gone', async () => {
        return !(await storedThings(one)).some((thing) => thing.includes(id));
      });
      await alice.headBlob(repository, digestOf(bytes)).expect(404);
    }, 60_000);
  });

  describe('that is wrong', () => {
    it('is refused for sizes and digests that cannot be', async () => {
      const digest = digestOf('x');
      const refused = [
        [{ digest, size: -1 }, 400],
        [{ digest, size: 1.5 }, 400],
        [{ digest, size: '1' }, 400],
        [{ digest }, 400],
        [{ digest: 'sha256:abc', size: 1 }, 400],
        [{ digest: `md5:${'0'.repeat(32)}`, size: 1 }, 400],
        [{ digest, size: 1, multipart: 'yes' }, 400],
        [{ digest, size: 1, key: 'mine' }, 400],
      ] as const;
      for (const [body, status] of refused) (await announce(alice, body)).expect(status);
      expectProblem((await announce(alice, { digest, size: 501 * 1024 * MIB })).expect(413), 'BLOB_TOO_LARGE');
      const empty = { digest: digestOf('', 'sha512'), size: 0 };
      expectProblem((await announce(alice, empty)).expect(409), 'DIRECT_UPLOADS_UNAVAILABLE');
    });

    it('gets no request for a part that it does not have, or of another size', async () => {
      const { location } = await start({ digest: digestOf('x'), size: 16 * MIB + 5, multipart: true });
      const sha256 = '0'.repeat(64);
      const ask = async (parts: unknown): Promise<Reply> => alice.api('POST', `${location}/parts`, { parts });
      for (const [part, status] of [
        [{ number: 3, sha256, size: 5 }, 422],
        [{ number: 1, sha256, size: 5 }, 422],
        [{ number: 2, sha256, size: 6 }, 422],
        [{ number: 0, sha256, size: 5 }, 400],
        [{ number: 10_001, sha256, size: 5 }, 400],
        [{ number: 2, sha256: sha256.slice(1), size: 5 }, 400],
        [{ number: 2, sha256 }, 400],
      ] as const)
        (await ask([part])).expect(status);
      (await ask([])).expect(400);
      (await ask(Array.from({ length: 101 }, () => ({ number: 2, sha256, size: 5 })))).expect(400);
      const { location: onePut } = await startPut(someBytes(10));
      await alice.api('POST', `${onePut}/parts`, { parts: [{ number: 1, sha256, size: 10 }] }).expect(409);
    });

    it('is unknown to everybody but the principal that opened it, in its repository, by its routes', async () => {
      const { location, id } = await startPut(someBytes(100));
      const { username = '', password = '' } = one.client.options;
      const administrator = one.client.as(username, password);
      const elsewhere = `alice/${uniqueName('elsewhere')}`;
      await alice.pushBlob(elsewhere, someBytes(10));
      const others: [RegistryClient, string][] = [
        [bob, location],
        [administrator, location],
        [alice, `${pathOf(elsewhere)}/blobs/uploads/${id}`],
        [alice, `${pathOf(repository)}/blobs/uploads/not-an-id`],
      ];
      for (const [client, path] of others) {
        await client.api('GET', path).expect(404);
        await client.api('POST', `${path}/complete`).expect(404);
        await client.api('DELETE', path).expect(404);
      }
      // The standard routes know nothing of it, nor these of a standard upload.
      const upload = alice.uploadAt(repository, `/v2/${repository}/blobs/uploads/${id}`);
      await upload.status().expect(404);
      await upload.patch(null, 'bytes').expect(404);
      const standard = await alice.startUpload(repository);
      await alice.api('GET', `${pathOf(repository)}/blobs/uploads/${standard.id}`).expect(404);
      expect((await alice.api('GET', location).expect(200)).json()).toMatchObject({ state: 'open' });
      administrator.close();
    });
  });

  it('has an entry in the audit log when it has become a blob', async () => {
    const bytes = someBytes(500);
    const { put, location } = await startPut(bytes);
    await sendSigned(put, bytes);
    for (let count = 0; count < 2; count++) await alice.api('POST', `${location}/complete`).expect(201);
    const rows = await query(one, 'SELECT action, outcome FROM audit_events WHERE resource = $1', [
      `repo:${repository}@${digestOf(bytes)}`,
    ]);
    expect(rows).toEqual([{ action: 'blob.push', outcome: 'allowed' }]);
  });
});

describe('a client that cannot reach the store', () => {
  it.each([
    ['because there is none but the disk', { store: 'filesystem' } as const],
    ['because redirects are off', { store: 's3', env: { STORAGE_REDIRECT: 'false' } } as const],
    ['because its address is streamed to', { store: 's3', env: { STORAGE_STREAM_CIDRS: '127.0.0.0/8' } } as const],
  ])(
    'is told to push through the registry, %s',
    async (_why, options) => {
      const { client } = await startRegistry(options);
      const reply = await client.api('POST', '/api/v1/repos/admin/app/blobs/uploads', {
        digest: digestOf('x'),
        size: 1,
      });
      expectProblem(reply.expect(409), 'DIRECT_UPLOADS_UNAVAILABLE');
      await client.api('GET', '/api/v1/repos/admin/app').expect(404);
    },
    90_000,
  );
});
