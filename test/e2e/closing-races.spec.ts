import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { someBytes } from '../conformance/documents.js';
import { signUp } from '../conformance/world.js';
import { type Algorithm, digestOf } from '../support/content.js';
import type { Reply } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { startRegistry } from '../support/registry.js';
import { casesHere, isSoak } from '../support/soak.js';

/** Each shape of a push this often, on one node and on two. */
const ROUNDS = isSoak ? 100 : 3;
const KIB = 1024;
const SMALL = 3000;
const LARGE = 300 * KIB;
const repository = 'alice/closing';

interface Shape {
  readonly name: string;
  /** What is sent before the closing PUT. */
  readonly before: readonly { readonly size: number; readonly isChunk: boolean }[];
  /** The body of the PUT. */
  readonly last: { readonly size: number; readonly isChunk: boolean } | null;
  readonly algorithm?: Algorithm;
}

const stream = (size: number) => ({ size, isChunk: false });
const chunk = (size: number) => ({ size, isChunk: true });

/** The bytes are in the row, in one object or in several, known to be right, to be read again, or still to come. */
const SHAPES: readonly Shape[] = [
  { name: 'a small stream', before: [stream(SMALL)], last: null },
  { name: 'small chunks', before: [chunk(SMALL), chunk(SMALL)], last: null },
  { name: 'an empty blob', before: [], last: null },
  { name: 'a small body in the PUT', before: [], last: stream(SMALL) },
  { name: 'a small stream, and more in the PUT', before: [stream(SMALL)], last: stream(SMALL) },
  { name: 'a large stream', before: [stream(LARGE)], last: null },
  { name: 'large chunks', before: [chunk(LARGE), chunk(LARGE), chunk(LARGE)], last: null },
  { name: 'a large body in the PUT', before: [], last: stream(LARGE) },
  { name: 'a large chunk, and a small one in the PUT', before: [chunk(LARGE)], last: chunk(SMALL) },
  { name: 'a large chunk, and a large one in the PUT', before: [chunk(LARGE)], last: chunk(LARGE) },
  { name: 'a large stream, to be read again', before: [stream(LARGE)], last: null, algorithm: 'sha512' },
  { name: 'two streams, to be read again', before: [stream(LARGE), stream(SMALL)], last: null },
  { name: 'a large stream, and more in the PUT', before: [stream(LARGE)], last: stream(LARGE), algorithm: 'sha512' },
];

const SETTINGS = [
  ['one process with its own database', { database: 'embedded' }, 1],
  ['one node', {}, 1],
  ['two nodes', {}, 2],
  ['a node of two workers', { env: { WORKERS: '2' } }, 1],
] as const;

/** Processes agree in the database; workers of a node, and its own database, are the same over every store. */
const SETTINGS_HERE = casesHere({ filesystem: SETTINGS, s3: SETTINGS.slice(1, 3) });

describe.each(SETTINGS_HERE)('a closing PUT that is sent again before it is answered: %s', (_name, options, nodes) => {
  let clients: RegistryClient[];

  beforeAll(async () => {
    const one = await startRegistry(options);
    const alice = await signUp(one.client, 'alice');
    clients = [alice];
    const { username = '', password = '' } = alice.options;
    if (nodes === 2) clients.push((await startRegistry({ like: one })).client.as(username, password));
    for (const client of clients) await client.pushBlob(repository, someBytes());
  }, 120_000);

  const client = (at: number): RegistryClient => clients[at % clients.length] as RegistryClient;

  /** Sends the PUT two to four times, each up to 6 ms after the one before, to the nodes in turn. */
  async function closed(round: number, put: (client: RegistryClient) => PromiseLike<Reply>): Promise<Reply[]> {
    const times = 2 + (round % 3);
    const replies: PromiseLike<Reply>[] = [];
    for (let at = 0; at < times; at++) {
      if (at > 0) await sleep((round + at) % 7);
      replies.push(put(client(round + at)));
    }
    return Promise.all(replies);
  }

  function expectStored(replies: readonly Reply[], digest: string): void {
    for (const reply of replies) {
      if (reply.status === 503) expect(reply.need('retry-after')).toMatch(/^\d+$/);
      else reply.expect(201, { digest });
    }
    expect(replies.some(({ status }) => status === 201)).toBe(true);
  }

  async function expectPulled(bytes: Buffer, digest: string): Promise<void> {
    expect((await client(0).pullBlob(repository, digest)).equals(bytes)).toBe(true);
  }

  it.each(SHAPES)(
    '$name',
    async ({ before, last, algorithm = 'sha256' }) => {
      for (let round = 0; round < ROUNDS; round++) {
        const bytes = someBytes(before.reduce((sum, { size }) => sum + size, last?.size ?? 0));
        const upload = await client(round).startUpload(repository);
        let at = 0;
        const range = (size: number): string => `${at}-${at + size - 1}`;
        for (const [index, { size, isChunk }] of before.entries()) {
          const part = bytes.subarray(at, at + size);
          const own = client(round + index).uploadAt(repository, upload.location);
          await own.patch(isChunk ? range(size) : null, isChunk ? part : Readable.from([part])).expect(202);
          at += size;
        }
        const digest = digestOf(bytes, algorithm);
        const replies = await closed(round, (node) => {
          const own = node.uploadAt(repository, upload.location);
          if (last === null) return own.put(digest);
          return own.put(digest, bytes.subarray(at), last.isChunk ? { range: range(last.size) } : {});
        });
        expectStored(replies, digest);
        await expectPulled(bytes, digest);
      }
    },
    600_000,
  );

  it.each([SMALL, LARGE])(
    'a POST with all %i bytes',
    async (size) => {
      for (let round = 0; round < ROUNDS; round++) {
        const bytes = someBytes(size);
        const replies = await closed(round, (node) => node.postBlob(repository, bytes));
        expectStored(replies, digestOf(bytes));
        await expectPulled(bytes, digestOf(bytes));
      }
    },
    600_000,
  );
});
