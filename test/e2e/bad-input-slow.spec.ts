import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { someBytes } from '../conformance/documents.js';
import { signUp } from '../conformance/world.js';
import { digestOf, IMAGE_MANIFEST } from '../support/content.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import type { Upload } from '../support/upload.js';
import { uploadRow } from './left-behind.js';

const PATIENCE_MS = 60_000;
const repository = 'alice/slow';

let registry: Registry;
let alice: RegistryClient;

beforeAll(async () => {
  registry = await startRegistry({ env: { UPLOAD_MINIMUM_RATE: '64KiB' } });
  alice = await signUp(registry.client, 'alice');
}, 90_000);

interface Ending {
  /** Undefined when the connection was closed without an answer. */
  readonly status: number | undefined;
  readonly code: string | undefined;
}

/** What the server makes of a request whose body never ends: it must be something, and in time. */
async function endingOf(request: ClientRequest): Promise<Ending> {
  const closed = once(request, 'close').then(() => null);
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  answered.catch(() => undefined);
  request.on('error', () => undefined);
  const outcome = await Promise.race([answered, closed, sleep(PATIENCE_MS, 'late' as const, { ref: false })]);
  if (outcome === 'late') throw new Error(`still open after ${PATIENCE_MS} ms`);
  if (outcome === null) return { status: undefined, code: undefined };
  const chunks: Buffer[] = [];
  for await (const chunk of outcome[0]) chunks.push(chunk as Buffer);
  const body = JSON.parse(Buffer.concat(chunks).toString()) as { errors: [{ code: string }] };
  return { status: outcome[0].statusCode, code: body.errors[0].code };
}

/** Each takes as long as the registry is patient, so they run side by side; the tests look at how they ended. */
interface SlowClients {
  readonly upload: Upload;
  readonly chunk: Promise<Ending>;
  readonly manifest: Promise<Ending>;
  readonly headers: Promise<string>;
  readonly json: Promise<string>;
}

const JSON_BODY = `POST /api/v1/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{"`;

async function trickledChunk(upload: Upload): Promise<Ending> {
  const headers = { 'content-type': 'application/octet-stream', 'content-length': String(2 ** 30) };
  const request = await alice.open('PATCH', upload.path, { ...headers, 'content-range': `5-${2 ** 30 + 4}` });
  const trickle = setInterval(() => request.write('x'), 200);
  try {
    return await endingOf(request);
  } finally {
    clearInterval(trickle);
  }
}

async function stalledManifest(): Promise<Ending> {
  const headers = { 'content-type': IMAGE_MANIFEST, 'content-length': '100' };
  const request = await alice.open('PUT', `/v2/${repository}/manifests/slow`, headers);
  request.write('{');
  return endingOf(request);
}

/** What the server says to a request that never ends, before it closes. */
async function endless(begin: string, more: string): Promise<string> {
  const { hostname, port } = new URL(registry.url);
  const socket = net.connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.write(begin);
  const trickle = setInterval(() => socket.write(more), 500);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const outcome = await Promise.race([closed, sleep(PATIENCE_MS, 'late', { ref: false })]);
  clearInterval(trickle);
  socket.destroy();
  if (outcome === 'late') throw new Error(`still open after ${PATIENCE_MS} ms`);
  return Buffer.concat(chunks).toString();
}

describe('a client that is slow on purpose', () => {
  let slow: SlowClients;

  beforeAll(async () => {
    const upload = await alice.startUpload(repository);
    await upload.patch('0-4', 'hello').expect(202);
    const headers = endless('GET /v2/ HTTP/1.1\r\nHost: x\r\n', 'X-Y: z\r\n');
    const json = endless(JSON_BODY, 'a');
    slow = { upload, chunk: trickledChunk(upload), manifest: stalledManifest(), headers, json };
    // A test looks at each; until then none may end the run.
    for (const ending of [slow.chunk, slow.manifest, headers, json]) ending.catch(() => undefined);
  });

  it('is answered 408 when the body of a chunk trickles, and the upload goes on from what was acknowledged', async () => {
    expect(await slow.chunk).toEqual({ status: 408, code: 'BLOB_UPLOAD_INVALID' });
    await slow.upload.status().expect(204, { range: '0-4' });
    expect(await uploadRow(registry, slow.upload.id)).toMatchObject({ state: 'open', received: '5' });
    await slow.upload.put(digestOf('hello')).expect(201);
  }, 90_000);

  it('is answered or cut off when the body of a manifest never comes', async () => {
    const { status } = await slow.manifest;
    expect([408, undefined]).toContain(status);
    await alice.headManifest(repository, 'slow').expect(404);
  }, 90_000);

  it('is cut off when its headers never end', async () => {
    expect(await slow.headers).toMatch(/^(HTTP\/1\.1 408 |$)/);
  }, 90_000);

  it('is cut off when the body of a management request never ends', async () => {
    expect(await slow.json).toBe('');
  }, 90_000);

  it('does not hold up anybody else', async () => {
    const upload = await alice.startUpload(repository);
    const stalled = await Promise.all(
      Array.from({ length: 20 }, () =>
        alice.open('PATCH', upload.path, { 'content-length': '1000', 'content-type': 'application/octet-stream' }),
      ),
    );
    for (const request of stalled) {
      request.on('error', () => undefined);
      request.write('x');
    }
    const bytes = someBytes(100_000);
    const digest = await alice.pushBlob(repository, bytes);
    expect((await alice.pullBlob(repository, digest)).equals(bytes)).toBe(true);
    for (const request of stalled) request.destroy();
  }, 60_000);
});

describe('Expect: 100-continue', () => {
  it('is not answered with 100 when the request is refused before its body', async () => {
    const headers = { 'content-length': String(2 ** 30), expect: '100-continue' };
    const request = await alice
      .anonymous()
      .open('POST', `/v2/${repository}/blobs/uploads/?digest=${digestOf('x')}`, headers);
    let isInvited = false;
    request.on('continue', () => (isInvited = true));
    request.flushHeaders();
    expect(await endingOf(request)).toEqual({ status: 401, code: 'UNAUTHORIZED' });
    expect(isInvited).toBe(false);
  });

  it('is answered with 100 when the body is wanted', async () => {
    const upload = await alice.startUpload(repository);
    const headers = { 'content-length': '5', expect: '100-continue', 'content-type': 'application/octet-stream' };
    const request = await alice.open('PATCH', upload.path, headers);
    request.flushHeaders();
    await once(request, 'continue');
    const answered = once(request, 'response') as Promise<[IncomingMessage]>;
    request.end('hello');
    expect((await answered)[0].statusCode).toBe(202);
    await upload.put(digestOf('hello')).expect(201);
  });
});
