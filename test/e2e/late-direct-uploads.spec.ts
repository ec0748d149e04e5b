// needs: versitygw
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
import { freshBucket } from '../support/s3.js';
import { sendSigned } from '../support/signed-request.js';
import { pathOf } from './content-api.js';
import { uploadRow } from './left-behind.js';

interface Signed {
  readonly url: string;
  readonly headers: Record<string, string>;
}

let proxy: S3Proxy;
let node: Registry;
let bob: RegistryClient;

beforeAll(async () => {
  const bucket = await freshBucket('versitygw');
  proxy = await startProxy(bucket.endpoint);
  const env = { ...bucket.env, S3_ENDPOINT: proxy.endpoint, S3_PUBLIC_ENDPOINT: bucket.endpoint };
  node = await startRegistry({ env });
  bob = await signUp(node.client, 'bob');
}, 120_000);
afterAll(() => proxy.close());

describe('a direct upload that a node reads', () => {
  const bytes = someBytes(5_000);
  let repository: string;
  let keyId: string;
  let location: string;
  let id: string;
  let release: () => void;

  /** All bytes are in the store, the client has its 202, and the node waits for the first of them. */
  beforeEach(async () => {
    repository = `bob/${uniqueName('late')}`;
    const scopes = ['repo:pull', 'repo:push'];
    const made = await bob.api('POST', '/api/v1/auth/keys', { name: uniqueName('ci'), scopes });
    const { id: ofKey, key } = made.expect(201).json<{ id: string; key: string }>();
    keyId = ofKey;
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const post = async (path: string, body: object): Promise<Reply> =>
      bob.raw('POST', path, { headers, body: JSON.stringify(body) });
    const announced = { digest: digestOf(bytes), size: bytes.length, multipart: true };
    const begun = (await post(pathOf(repository, '/blobs/uploads'), announced)).expect(201);
    ({ id } = begun.json<{ id: string }>());
    location = begun.need('location');
    const part = { number: 1, sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length };
    const signed = (await post(`${location}/parts`, { parts: [part] })).expect(200).json<{ parts: [Signed] }>();
    expect((await sendSigned(signed.parts[0], bytes)).status).toBe(200);
    release = holdCalls(proxy, 'GET');
    (await post(`${location}/complete`, {})).expect(202);
    await eventually('the node reads', async () => ((await uploadRow(node, id))?.epoch ?? 0) > 1);
  }, 60_000);

  it('becomes no blob when its client may not push any more, and says so', async () => {
    await bob.api('DELETE', `/api/v1/auth/keys/${keyId}`).expect(204);
    release();
    await eventually('it has failed', async () => (await uploadRow(node, id))?.state === 'failed');
    const { reason } = (await bob.api('GET', location).expect(200)).json();
    expect(reason).toBe('the repository was deleted, or you may no longer push to it');
    await bob.headBlob(repository, digestOf(bytes)).expect(404);
  }, 60_000);

  it('becomes no blob when its repository is deleted, nor one of the next repository there', async () => {
    await bob.api('DELETE', pathOf(repository)).expect(204);
    await bob.api('PUT', pathOf(repository), {}).expect(201);
    release();
    await eventually('it has failed', async () => (await uploadRow(node, id))?.state === 'failed');
    await bob.headBlob(repository, digestOf(bytes)).expect(404);
  }, 60_000);

  it('becomes one when nothing has changed', async () => {
    release();
    await eventually('it is a blob', async () => (await uploadRow(node, id))?.state === 'done');
    await bob.headBlob(repository, digestOf(bytes)).expect(200);
  }, 60_000);
});
