// needs: versitygw
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { signUp } from '../conformance/world.js';
import { query } from '../e2e/left-behind.js';
import { describeBytes, digestOf, IMAGE_CONFIG, IMAGE_MANIFEST, toBytes, uniqueConfig } from '../support/content.js';
import { eventually, residentMemory } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import type { Registry } from '../support/registry.js';
import { sendSigned } from '../support/signed-request.js';
import { SlowUpload } from './slow-transfer.js';
import { startOnS3 } from './streaming-registry.js';

const KIB = 1024;
const MIB = 1024 * KIB;
/** Of one phase, with an attacker or without. */
const PHASE_MS = 10_000;
/** Before a phase with an attacker, so that what it holds is held. */
const HEAD_START_MS = 5_000;
const LONGER_AT_MOST = 3;
/** Milliseconds below which twice as long means nothing. */
const NOTICEABLE_MS = 100;
const RESIDENT_BYTES = 400_000_000;
const LIVEZ_MS = 1_000;

type Kind = 'pull' | 'small push' | '1 MiB push' | 'livez';
type Times = Record<Kind, number[]>;
/** What has to stay nearly as fast as without an attacker. */
const KINDS = ['pull', 'small push', '1 MiB push'] as const;

let registry: Registry;
let honest: RegistryClient;
let mallory: RegistryClient;
let image: { readonly digest: string; readonly layers: readonly { readonly digest: string }[] };

// One for each attack: the highest resident memory is of the process.
beforeEach(async () => {
  registry = await startOnS3({
    UPLOAD_MEMORY_BUDGET: '128MiB',
    ALLOW_SPARSE: 'mallory/sparse',
    STORAGE_REDIRECT: 'false',
  });
  honest = await signUp(registry.client, 'honest');
  mallory = await signUp(registry.client, 'mallory');
  image = await honest.pushImage('honest/app', 'v1');
  await pull();
}, 120_000);

afterEach(() => registry.stop());

/** What the honest tenant does, one after the other; whatever is refused fails the test. */
async function measure(): Promise<Times> {
  const times: Times = { pull: [], 'small push': [], '1 MiB push': [], livez: [] };
  const until = Date.now() + PHASE_MS;
  const timed = async (kind: Kind, work: () => Promise<unknown>): Promise<void> => {
    const begun = performance.now();
    await work();
    times[kind].push(performance.now() - begun);
  };
  const work = async (): Promise<void> => {
    while (Date.now() < until) {
      for (let i = 0; i < 5; i++) await timed('pull', pull);
      await timed('small push', () => honest.pushImage('honest/app', 'v2'));
      await timed('1 MiB push', () => honest.pushBlob('honest/app', randomBytes(MIB)));
    }
  };
  const watch = async (): Promise<void> => {
    while (Date.now() < until) {
      await timed('livez', () => honest.raw('GET', '/livez').expect(200));
      await sleep(200);
    }
  };
  await Promise.all([work(), watch()]);
  return times;
}

async function pull(): Promise<void> {
  await honest.getManifest('honest/app', 'v1').expect(200, { digest: image.digest });
  for (const { digest } of image.layers) await honest.pullBlob('honest/app', digest);
}

const p95 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? Infinity;

/** `attack` goes on until the signal, and then leaves nothing behind. */
async function expectFair(what: string, attack: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const before = await measure();
  const stop = new AbortController();
  const attacking = attack(stop.signal);
  attacking.catch(() => undefined);
  let during: Times;
  try {
    await sleep(HEAD_START_MS);
    during = await measure();
  } finally {
    stop.abort();
    await attacking;
  }
  const { peak } = residentMemory(registry.pid);
  const shown = [...KINDS, 'livez' as const]
    .map((kind) => `${kind} ${p95(before[kind]).toFixed(0)} → ${p95(during[kind]).toFixed(0)} ms`)
    .join(', ');
  process.stderr.write(`  ${what}: p95 of ${shown}; at most ${Math.round(peak / 1e6)} MB resident\n`);
  for (const kind of KINDS)
    expect({ kind, isFair: p95(during[kind]) <= LONGER_AT_MOST * Math.max(NOTICEABLE_MS, p95(before[kind])) }).toEqual({
      kind,
      isFair: true,
    });
  expect(Math.max(...during.livez)).toBeLessThan(LIVEZ_MS);
  expect(peak).toBeLessThan(RESIDENT_BYTES);
}

/** So many at once, each again and again; what they are answered is nobody's concern. */
async function flood(signal: AbortSignal, atOnce: number, work: (at: number) => Promise<unknown>): Promise<void> {
  const one = async (_: unknown, at: number): Promise<void> => {
    while (!signal.aborted) {
      const begun = performance.now();
      await work(at).catch(() => undefined);
      if (performance.now() - begun < 5) await sleep(5); // refused without work
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

/** Requests that begin, and go on a byte at a time until they are stopped. */
async function trickle(signal: AbortSignal, requests: readonly http.ClientRequest[]): Promise<void> {
  for (const request of requests) request.on('error', () => undefined);
  while (!signal.aborted) {
    for (const request of requests) if (!request.destroyed && !request.writableEnded) request.write(' ');
    await sleep(100);
  }
  for (const request of requests) request.destroy();
}

/** Answers that begin and are not read. */
async function readNothing(client: RegistryClient, path: string, count: number): Promise<http.ClientRequest[]> {
  const requests: http.ClientRequest[] = [];
  for (let i = 0; i < count; i++) {
    const request = await client.open('GET', path);
    request.on('error', () => undefined).on('response', (response) => response.pause());
    request.end();
    requests.push(request);
  }
  return requests;
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      resolve();
    });
  });

describe('one tenant does not take from another', () => {
  it('the memory of uploads, by 40 that send 1.5 KiB/s', async () => {
    await expectFair('40 slow uploads', async (signal) => {
      const begin = (at: number) => SlowUpload.begin(mallory, `mallory/slow-${at}`, randomBytes(2 * MIB));
      const uploads = await Promise.all(Array.from({ length: 40 }, (_, at) => begin(at)));
      while (!signal.aborted) {
        for (const upload of uploads) upload.send(randomBytes(1_536));
        await sleep(1_000);
      }
      for (const upload of uploads) upload.abandon();
    });
  }, 120_000);

  it('connections of the database, by manifests of 9,000 descriptors beside deletes that wait for their rows', async () => {
    const layers = Array.from({ length: 9_000 }, (_, at) => describeBytes('application/x-layer', Buffer.from(`${at}`)));
    const config = describeBytes(IMAGE_CONFIG, Buffer.from('{}'));
    const manifest = toBytes({ schemaVersion: 2, mediaType: IMAGE_MANIFEST, config, layers });
    const digest = digestOf(manifest);
    const attack = (signal: AbortSignal): Promise<void> =>
      flood(signal, 60, (at) =>
        at % 3 === 0
          ? mallory.deleteManifest('mallory/sparse', digest).then((reply) => reply)
          : mallory.putManifest('mallory/sparse', `tag-${at}`, manifest).then((reply) => reply),
      );
    await expectFair('large manifests and deletes', attack);
  }, 120_000);

  it('memory, by 100 manifests that are sent a byte at a time', async () => {
    await expectFair('100 slow manifests', async (signal) => {
      const body = Buffer.alloc(4 * MIB - 10 * KIB, ' ');
      const requests = await Promise.all(
        Array.from({ length: 100 }, async (_, at) => {
          const headers = { 'content-type': IMAGE_MANIFEST, 'content-length': String(4 * MIB) };
          const request = await mallory.open('PUT', `/v2/mallory/sparse/manifests/slow-${at}`, headers);
          request.on('error', () => undefined).write(body);
          return request;
        }),
      );
      await trickle(signal, requests);
    });
  }, 120_000);

  it('memory, by answers that nobody reads', async () => {
    const filler = 'x'.repeat(3 * MIB);
    const config = uniqueConfig();
    await mallory.pushBlob('mallory/large', config);
    const manifestOf = (at: number): Buffer =>
      toBytes({
        schemaVersion: 2,
        mediaType: IMAGE_MANIFEST,
        config: describeBytes(IMAGE_CONFIG, config),
        layers: [],
        other: `${at}${filler}`,
      });
    for (let at = 0; at < 10; at++) await mallory.putManifest('mallory/large', `v${at}`, manifestOf(at)).expect(201);
    await query(
      registry,
      `INSERT INTO repos (namespace_id, name, path, visibility, description, listed_at)
       SELECT n.id, 'r' || i, 'mallory/r' || i, 'private', repeat('x', 10000), now()
       FROM namespaces n, generate_series(1, 1000) AS i WHERE n.name = 'mallory'`,
    );
    await expectFair('unread answers', async (signal) => {
      const path = (at: number): string => `/v2/mallory/large/manifests/v${at % 10}`;
      const opened = await Promise.all([
        ...Array.from({ length: 10 }, (_, at) => readNothing(mallory, path(at), 22)),
        ...Array.from({ length: 20 }, () => readUnreadList()),
      ]);
      await untilAborted(signal);
      for (const request of opened.flat()) request.destroy();
    });
  }, 180_000);

  async function readUnreadList(): Promise<http.ClientRequest[]> {
    const { username = '', password = '' } = mallory.options;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const request = await mallory.open('GET', '/api/v1/repos/mallory?limit=1000', { authorization });
    request.on('error', () => undefined).on('response', (response) => response.pause());
    request.end();
    return [request];
  }

  it('the event loop, by 200 images that name one config of 0.9 MB', async () => {
    const labels = Object.fromEntries(Array.from({ length: 45_000 }, (_, at) => [`label-${at}`, 'x']));
    const config = toBytes({ os: 'linux', architecture: 'amd64', config: { Labels: labels } });
    await mallory.pushBlob('mallory/config', config);
    const manifestOf = (at: number): object => ({
      schemaVersion: 2,
      mediaType: IMAGE_MANIFEST,
      config: describeBytes(IMAGE_CONFIG, config),
      layers: [],
      annotations: { at: String(at) },
    });
    let pushed = 0;
    await expectFair('images with a large config', (signal) =>
      flood(signal, 10, async () => {
        if (pushed === 200) return;
        pushed += 1;
        await mallory.putManifest('mallory/config', `v${pushed}`, manifestOf(pushed));
      }),
    );
  }, 120_000);

  it('the verification of direct uploads, by 20 of 32 MiB', async () => {
    // Clients of the other one are streamed to, and bring nothing to the store themselves.
    const { client, events } = await startOnS3({ METRICS_LISTEN_ADDRESS: '127.0.0.1:0' });
    const [alice, bob] = [await signUp(client, 'alice'), await signUp(client, 'bob')];
    await alice.pushImage('alice/direct', 'v1');
    await bob.pushImage('bob/direct', 'v1');
    const bytes = randomBytes(32 * MIB);
    await direct(alice, 'alice/direct', randomBytes(MIB)); // by now the store has been asked what it verifies
    const before = await direct(alice, 'alice/direct', randomBytes(MIB));
    const attacks = Array.from({ length: 20 }, () => direct(bob, 'bob/direct', bytes));
    const metricsUrl = String(events().find(({ event }) => event === 'metrics')?.['url']);
    await eventually('the metrics show that uploads wait', async () =>
      /^aerugo_share_waiting\{resource="verifications"\} [1-9]/m.test(await (await fetch(metricsUrl)).text()),
    );
    const during: number[] = [];
    for (let i = 0; i < 5; i++) during.push(await direct(alice, 'alice/direct', randomBytes(MIB)));
    await Promise.all(attacks);
    process.stderr.write(`  direct uploads: ${before.toFixed(0)} → ${Math.max(...during).toFixed(0)} ms\n`);
    expect(during.toSorted((a, b) => a - b)[2]).toBeLessThan(LONGER_AT_MOST * Math.max(before, 500));
  }, 180_000);

  /** In parts, so that a node has to read it; gives milliseconds from the completion to the blob. */
  async function direct(client: RegistryClient, name: string, bytes: Buffer): Promise<number> {
    const digest = digestOf(bytes, 'sha512');
    const path = `/api/v1/repos/${name}/blobs/uploads`;
    const reply = (await client.api('POST', path, { digest, size: bytes.length })).expect(201);
    const location = reply.need('location');
    const { put, parts } = reply.json<Started>();
    if (put) expect((await sendSigned(put, bytes)).status).toBe(200);
    if (parts) await sendParts(client, location, bytes, parts.size);
    const begun = performance.now();
    await client.api('POST', `${location}/complete`, {});
    const isDone = async (): Promise<boolean> =>
      (await client.api('GET', location)).json<{ state: string }>().state === 'done';
    await eventually('it is a blob', isDone, 120_000, 20);
    return performance.now() - begun;
  }

  async function sendParts(client: RegistryClient, location: string, bytes: Buffer, size: number): Promise<void> {
    for (let number = 1; (number - 1) * size < bytes.length; number++) {
      const part = bytes.subarray((number - 1) * size, number * size);
      const sha256 = digestOf(part).slice('sha256:'.length);
      const announced = { parts: [{ number, sha256, size: part.length }] };
      const reply = (await client.api('POST', `${location}/parts`, announced)).expect(200);
      const [signed] = reply.json<{ parts: Signed[] }>().parts;
      if (signed) expect((await sendSigned(signed, part)).status).toBe(200);
    }
  }
});

interface Signed {
  readonly url: string;
  readonly headers: Record<string, string>;
}

interface Started {
  readonly put?: Signed;
  readonly parts?: { readonly size: number };
}
