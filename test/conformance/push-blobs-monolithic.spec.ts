import { Readable } from 'node:stream';
import { beforeAll, describe, expect } from '@jest/globals';
import { type Algorithm, digestOf } from '../support/content.js';
import type { Exchange, Reply } from '../support/http-exchange.js';
import { someBytes } from './documents.js';
import { must, optional, ours, should } from './requirement.js';
import { useWorld } from './world.js';

const world = useWorld();
let repository: string;

beforeAll(() => {
  repository = world.newRepository();
});

const ALGORITHMS: readonly Algorithm[] = ['sha256', 'sha512'];
const OCTETS = { 'content-type': 'application/octet-stream' };

/** The answer to a finished push: the blob is where Location says, under the digest that the client named. */
async function expectStored(reply: Reply, bytes: Buffer, digest: string): Promise<void> {
  const { pathname } = new URL(reply.expect(201, { digest }).need('location'), world.registry.url);
  expect(pathname).toBe(`/v2/${repository}/blobs/${digest}`);
  expect(await world.alice.pullBlob(repository, digest)).toEqual(bytes);
}

describe('Pushing a blob monolithically: POST then PUT (end-4a, end-6)', () => {
  must('answers the POST with 202 and a Location', async () => {
    const upload = await world.alice.startUpload(repository);
    expect(upload.location).not.toBe('');
  });

  must('puts a unique session id into each Location', async () => {
    const [one, two] = await Promise.all([world.alice.startUpload(repository), world.alice.startUpload(repository)]);
    expect(one.location).not.toBe(two.location);
    expect(one.location).toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/);
  });

  ours('gives a relative Location without a query string, which some clients would mangle', async () => {
    const upload = await world.alice.startUpload(repository);
    expect(upload.location).toMatch(new RegExp(`^/v2/${repository}/blobs/uploads/[^/?]+$`));
  });

  ours('tells the id in Docker-Upload-UUID and an empty range', async () => {
    const opened = await world.alice.request('POST', `/v2/${repository}/blobs/uploads/`).expect(202, { range: '0-0' });
    expect(opened.need('location').endsWith(opened.need('docker-upload-uuid'))).toBe(true);
  });

  for (const algorithm of ALGORITHMS) {
    must(`answers the PUT with 201 and a pullable Location (${algorithm})`, async () => {
      const bytes = someBytes();
      const digest = digestOf(bytes, algorithm);
      const upload = await world.alice.startUpload(repository);
      await expectStored(await upload.put(digest, bytes), bytes, digest);
    });

    should(`answers 400 when the bytes do not have the digest named (${algorithm})`, async () => {
      const bytes = someBytes();
      const digest = digestOf(bytes, algorithm);
      const upload = await world.alice.startUpload(repository);
      await upload.put(digest, Buffer.concat([bytes, Buffer.from('oh no')])).expect(400, { code: 'DIGEST_INVALID' });
      await world.alice.headBlob(repository, digest).expect(404);
    });
  }

  should('answers 400 for a malformed digest, an unknown algorithm and a missing digest', async () => {
    for (const bad of ['sha256:beef', 'sha256', `md5:${'0'.repeat(32)}`, '']) {
      const upload = await world.alice.startUpload(repository);
      await upload.put(bad, someBytes(8)).expect(400, { code: 'DIGEST_INVALID' });
    }
    const upload = await world.alice.startUpload(repository);
    await world.alice
      .request('PUT', upload.path, { headers: OCTETS, body: someBytes(8) })
      .expect(400, { code: 'DIGEST_INVALID' });
  });

  ours('stores an empty blob', async () => {
    const upload = await world.alice.startUpload(repository);
    await expectStored(await upload.put(digestOf('')), Buffer.alloc(0), digestOf(''));
  });

  ours('takes a body whose length is not announced', async () => {
    const bytes = someBytes(70_000);
    const upload = await world.alice.startUpload(repository);
    await expectStored(await upload.put(digestOf(bytes), Readable.from([bytes])), bytes, digestOf(bytes));
  });

  ours('streams a body of any content type, a JSON one too', async () => {
    const bytes = Buffer.from('{"not": "parsed"');
    const upload = await world.alice.startUpload(repository);
    const reply = await upload.put(digestOf(bytes), bytes, { headers: { 'content-type': 'application/json' } });
    await expectStored(reply, bytes, digestOf(bytes));
  });

  ours('answers a PUT that is repeated after a lost 201 with 201 again', async () => {
    const bytes = someBytes();
    const digest = digestOf(bytes);
    const upload = await world.alice.startUpload(repository);
    await upload.put(digest, bytes).expect(201);
    await upload.put(digest, bytes).expect(201, { digest });
    await upload.put(digest).expect(201, { digest });
  });

  ours('accepts the same blob again, from several clients at once', async () => {
    const bytes = someBytes(4096);
    const digest = digestOf(bytes);
    const uploads = await Promise.all(Array.from({ length: 5 }, () => world.alice.startUpload(repository)));
    const replies = await Promise.all(uploads.map((upload) => upload.put(digest, bytes)));
    expect(replies.map((reply) => reply.status)).toEqual([201, 201, 201, 201, 201]);
    expect(await world.alice.pullBlob(repository, digest)).toEqual(bytes);
  });

  ours('keeps working through a POST without the final slash and with an upper-case header', async () => {
    const authorization = `Bearer ${await world.alice.token(`repository:${repository}:pull,push`)}`;
    await world.alice
      .raw('POST', `/v2/${repository}/blobs/uploads`, { headers: { AUTHORIZATION: authorization } })
      .expect(202);
  });
});

describe('Pushing a blob monolithically: single POST (end-4b)', () => {
  const post = (digest: string, body: Buffer | Readable): Exchange =>
    world.alice.request('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, { headers: OCTETS, body });

  for (const algorithm of ALGORITHMS) {
    optional(`stores the blob in one request: 201 and a pullable Location (${algorithm})`, async () => {
      const bytes = someBytes();
      const digest = digestOf(bytes, algorithm);
      await expectStored(await post(digest, bytes), bytes, digest);
    });

    must(`refuses a body that does not match the digest (${algorithm})`, async () => {
      const digest = digestOf(someBytes(), algorithm);
      await post(digest, someBytes()).expect(400, { code: 'DIGEST_INVALID' });
      await world.alice.headBlob(repository, digest).expect(404);
    });
  }

  should('answers 400 for a malformed digest or an unknown algorithm', async () => {
    for (const bad of ['sha256:beef', `crc32:${'0'.repeat(8)}`, '%00']) {
      await post(bad, someBytes(8)).expect(400, { code: 'DIGEST_INVALID' });
    }
  });

  ours('stores an empty blob', async () => {
    await expectStored(await post(digestOf(''), Buffer.alloc(0)), Buffer.alloc(0), digestOf(''));
  });

  ours('takes a body whose length is not announced', async () => {
    const bytes = someBytes(3000);
    await expectStored(await post(digestOf(bytes), Readable.from([bytes])), bytes, digestOf(bytes));
  });
});
