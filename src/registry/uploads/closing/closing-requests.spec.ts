import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  hashOf,
  incoming,
  sessionOf,
  UPLOADER,
  uploadServices,
  type UploadServices,
} from '../../../../test/support/upload-services.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import type { BlobStore } from '../../../storage/blob-store.js';
import { UploadLost } from '../../../storage/storage-errors.js';
import type { UploadSession } from '../upload-session.js';
import type { UploadsService } from '../uploads.service.js';

let services: UploadServices;
let uploads: UploadsService;
let repository: RepositoryFact;
let count = 0;

beforeAll(async () => {
  services = await uploadServices();
  ({ uploads } = services.node());
}, 60_000);

beforeEach(async () => {
  repository = await services.newRepository(`closing${++count}`);
});

const SMALL = 10 * 1024;
const LARGE = 300 * 1024;
const UNKNOWN = { condition: 'uploadUnknown' };

type Method = 'put' | 'complete' | 'open';

/** A node whose store does not return from `method` before it is let go. */
function held(method: Method, drafts?: 'lasting') {
  const [began, go] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const { store } = services;
  const waits = async (...args: unknown[]): Promise<unknown> => {
    began.resolve(undefined);
    await go.promise;
    return (store[method] as (...all: unknown[]) => Promise<unknown>)(...args);
  };
  const own = Object.create(store, { [method]: { value: waits } }) as BlobStore;
  return {
    uploads: services.node(own, 3600, drafts).uploads,
    began: began.promise,
    go: (): void => {
      go.resolve(undefined);
    },
  };
}

async function open(through: UploadsService = uploads): Promise<UploadSession> {
  const { id } = await through.start(repository, UPLOADER, 'sha256');
  return sessionOf(repository, id);
}

/** Long enough for a request that would not wait. */
const aMoment = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 100));

async function stateOf(request: Promise<unknown>): Promise<'waits' | 'stored' | 'refused'> {
  const settled = request.then(
    () => 'stored' as const,
    () => 'refused' as const,
  );
  return Promise.race([settled, aMoment().then(() => 'waits' as const)]);
}

/** Where the bytes are when the first PUT is at work, and in which call of the store that is. */
const AT_WORK = [
  ['a small blob, from its row', SMALL, 'sha256', 'put'],
  ['a large blob', LARGE, 'sha256', 'complete'],
  ['a blob that is read again', LARGE, 'sha512', 'open'],
] as const;

describe.each(AT_WORK)('while one PUT is closing %s', (_name, size, algorithm, method) => {
  async function closing() {
    const bytes = randomBytes(size);
    const digest = hashOf(bytes, algorithm);
    const first = held(method);
    const session = await open();
    await uploads.append(session, incoming(bytes));
    const closed = first.uploads.close(session, digest, incoming(null));
    await first.began;
    return { bytes, digest, session, closed, go: first.go };
  }

  it('equal ones wait for it, at its node and at others, and the bytes are stored once', async () => {
    const { bytes, digest, session, closed, go } = await closing();
    const others = [uploads, services.node().uploads].map((node) => node.close(session, digest, incoming(null)));
    expect(await Promise.all(others.map(stateOf))).toEqual(['waits', 'waits']);
    go();
    await Promise.all([closed, ...others]);
    expect(services.filesOf(session)).toHaveLength(1);
    expect((await services.pull(repository, digest)).equals(bytes)).toBe(true);
  });

  it.each(['sha256:beef', hashOf(Buffer.from('other'))])('another digest does it no harm: %s', async (wrong) => {
    const { bytes, digest, session, closed, go } = await closing();
    const other = services.node().uploads.close(session, wrong, incoming(null));
    other.catch(() => undefined);
    await aMoment();
    go();
    await closed;
    await expect(other).rejects.toThrow();
    expect((await services.pull(repository, digest)).equals(bytes)).toBe(true);
  });

  it('a DELETE ends it, and those that waited are told', async () => {
    const { digest, session, closed, go } = await closing();
    const other = uploads.close(session, digest, incoming(null));
    const refused = [closed, other].map((request) => expect(request).rejects.toMatchObject(UNKNOWN));
    await uploads.cancel(session);
    go();
    await Promise.all(refused);
    expect(await services.rowOf(session)).toBeUndefined();
    expect(services.filesOf(session)).toEqual([]);
  });
});

describe('a closing PUT that brings bytes', () => {
  it('is not appended twice when an equal one has brought them and is still reading all again', async () => {
    const [before, last] = [randomBytes(LARGE), randomBytes(LARGE)];
    const bytes = Buffer.concat([before, last]);
    const digest = hashOf(bytes);
    const first = held('open');
    const session = await open();
    await uploads.append(session, incoming(before)); // a native hash, which cannot go on
    const closed = first.uploads.close(session, digest, incoming(last));
    await first.began;
    const again = services.node().uploads.close(session, digest, incoming(last));
    expect(await stateOf(again)).toBe('waits');
    first.go();
    await Promise.all([closed, again]);
    expect((await services.pull(repository, digest)).equals(bytes)).toBe(true);
  });

  it('is taken over at once by an equal one while its body has not come to an end, and gets that one’s answer', async () => {
    const bytes = randomBytes(LARGE);
    const digest = hashOf(bytes);
    const session = await open();
    const [sent, rest] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const slow = Readable.from(
      (async function* () {
        yield bytes.subarray(0, LARGE / 2);
        sent.resolve(undefined);
        await rest.promise;
        yield bytes.subarray(LARGE / 2);
      })(),
      { objectMode: false },
    );
    const closed = uploads.close(session, digest, incoming(slow));
    await sent.promise;
    await services.node().uploads.close(session, digest, incoming(bytes));
    rest.resolve(undefined);
    await closed;
    expect(services.filesOf(session)).toHaveLength(1);
  });
});

describe('a closing PUT that fails', () => {
  it('lets an equal one that waits go on at once', async () => {
    const bytes = randomBytes(LARGE);
    const failing = held('complete');
    const session = await open();
    await uploads.append(session, incoming(bytes));
    const closed = failing.uploads.close(session, hashOf(bytes), incoming(null));
    await failing.began;
    const other = uploads.close(session, hashOf(bytes), incoming(null));
    // As when its node dies; the lease is what time would end.
    await services.database.query('UPDATE uploads SET closing_until = now() WHERE id = $1', [session.id]);
    await other;
    failing.go();
    await closed;
    expect((await services.pull(repository, hashOf(bytes))).equals(bytes)).toBe(true);
  });

  it.each([
    ['a few bytes in several files', 3 * LARGE],
    ['a blob of several files', 9 * 2 ** 20],
  ])('because the volume is away ends nothing: the same PUT closes %s once it is back', async (_what, size) => {
    const bytes = randomBytes(size);
    const session = await open();
    for (const half of [bytes.subarray(0, size / 3), bytes.subarray(size / 3)])
      await uploads.append(session, incoming(half));
    renameSync(services.root, `${services.root}-away`);
    mkdirSync(services.root);
    try {
      await expect(uploads.close(session, hashOf(bytes), incoming(null))).rejects.toMatchObject({
        condition: 'unavailable',
      });
    } finally {
      rmSync(services.root, { recursive: true });
      renameSync(`${services.root}-away`, services.root);
    }
    await uploads.close(session, hashOf(bytes), incoming(null));
    expect((await services.pull(repository, hashOf(bytes))).equals(bytes)).toBe(true);
  });

  it('does not keep others waiting after it was answered', async () => {
    const bytes = randomBytes(SMALL);
    const refuses = (): Promise<never> => Promise.reject(new Error('no'));
    const broken = services.node(Object.create(services.store, { put: { value: refuses } }) as BlobStore).uploads;
    const session = await open();
    await uploads.append(session, incoming(bytes));
    await expect(broken.close(session, hashOf(bytes), incoming(null))).rejects.toThrow('no');
    expect(await stateOf(services.node().uploads.close(session, hashOf(bytes), incoming(null)))).toBe('stored');
  });
});

describe('closing PUTs of bytes that only the process has', () => {
  it.each(['sha256:beef', hashOf(Buffer.from('other'))])('are not prevented by another digest: %s', async (wrong) => {
    const bytes = randomBytes(SMALL);
    const node = held('put', 'lasting');
    const session = await open(node.uploads);
    await node.uploads.append(session, incoming(bytes));
    const closed = node.uploads.close(session, hashOf(bytes), incoming(null));
    await node.began;
    const equal = node.uploads.close(session, hashOf(bytes), incoming(null));
    const other = node.uploads.close(session, wrong, incoming(null));
    other.catch(() => undefined);
    expect(await stateOf(equal)).toBe('waits');
    node.go();
    await Promise.all([closed, equal]);
    await expect(other).rejects.toThrow();
    expect(services.filesOf(session)).toHaveLength(1);
  });
});

describe('a repeated closing PUT', () => {
  it('gets its 201 for a while, also when the upload was about to expire', async () => {
    const bytes = randomBytes(SMALL);
    const session = await open();
    await uploads.append(session, incoming(bytes));
    await services.database.query(`UPDATE uploads SET expires_at = now() + interval '5 seconds' WHERE id = $1`, [
      session.id,
    ]);
    await uploads.close(session, hashOf(bytes), incoming(null));
    const [row] = await services.database.query<{ seconds: string }>(
      'SELECT extract(epoch FROM expires_at - now()) AS seconds FROM uploads WHERE id = $1',
      [session.id],
    );
    expect(Number(row?.seconds)).toBeGreaterThan(500);
  });
});

describe('a body that was overtaken', () => {
  it('waits for the other’s blob also where the bytes before it were replaced meanwhile', async () => {
    const [before, last] = [randomBytes(LARGE), randomBytes(LARGE)];
    const bytes = Buffer.concat([before, last]);
    const session = await open();
    await uploads.append(session, incoming(before));
    const closed = Promise.withResolvers<undefined>();
    // As S3 says it of a tail that the other one has put into a part.
    const append = async (): Promise<never> => {
      await services.node().uploads.close(session, hashOf(bytes), incoming(last));
      closed.resolve(undefined);
      throw new UploadLost('the tail is gone');
    };
    const overtaken = services.node(Object.create(services.store, { append: { value: append } }) as BlobStore).uploads;
    await overtaken.close(session, hashOf(bytes), incoming(last));
    await closed.promise;
    expect((await services.pull(repository, hashOf(bytes))).equals(bytes)).toBe(true);
  });
});
