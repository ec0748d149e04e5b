import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  hashOf,
  incoming,
  sessionOf,
  UPLOADER,
  uploadServices,
  type UploadServices,
} from '../../../test/support/upload-services.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { digestToBytes } from '../../oci/digest-bytes.js';
import type { BlobStore } from '../../storage/blob-store.js';
import { objectKeyOf } from '../../storage/object-keys.js';
import { StoreUnavailable } from '../../storage/storage-errors.js';
import { INLINE_LIMIT } from './upload-store.service.js';
import type { UploadSession } from './upload-session.js';

type Node = ReturnType<UploadServices['node']>;
type Put = BlobStore['put'];

let services: UploadServices;
let repository: RepositoryFact;
let node: Node;
let count = 0;

beforeAll(async () => {
  services = await uploadServices();
}, 60_000);

beforeEach(async () => {
  repository = await services.newRepository(`drafts${++count}`);
  node = embedded();
});

const UNKNOWN = { condition: 'uploadUnknown' };
const SMALL = 10 * 1024;

/** A node that is the whole registry, with a store whose `put` a test may replace. */
function embedded(put: (real: Put, ...args: Parameters<Put>) => ReturnType<Put> = (real, ...args) => real(...args)) {
  const { store } = services;
  const real: Put = (...args) => store.put(...args);
  const own = Object.create(store, { put: { value: (...args: Parameters<Put>) => put(real, ...args) } }) as BlobStore;
  return services.node(own, 3600, 'lasting');
}

async function open({ uploads }: Node = node): Promise<UploadSession> {
  return sessionOf(repository, (await uploads.start(repository, UPLOADER, 'sha256')).id);
}

const pull = (bytes: Buffer): Promise<Buffer> => services.pull(repository, hashOf(bytes));
const isWritten = async (session: UploadSession): Promise<boolean> => (await services.rowOf(session)) !== undefined;
/** Another node knows what the rows say, and nothing else. */
const inRow = (session: UploadSession): Promise<number> =>
  services
    .node()
    .uploads.status(session)
    .then(({ received }) => received);

/** A `put` that waits in the middle until it is let go. */
function held(): {
  began: Promise<unknown>;
  go: () => void;
  put: (real: Put, ...args: Parameters<Put>) => ReturnType<Put>;
} {
  const [began, go] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  return {
    began: began.promise,
    go: () => {
      go.resolve(undefined);
    },
    put: async (real, ...args) => {
      began.resolve(undefined);
      await go.promise;
      return real(...args);
    },
  };
}

describe('a small upload where one process is the whole registry', () => {
  it('has no row before its closing PUT, and then one before its first byte in the store', async () => {
    let row: { state: string; epoch: number } | undefined;
    let epoch = -1;
    const watched = embedded(async (real, target, ...args) => {
      row = await services.rowOf(session);
      epoch = target.epoch;
      return real(target, ...args);
    });
    const bytes = randomBytes(SMALL);
    const session = await open(watched);
    await watched.uploads.append(session, incoming(bytes));
    expect(await isWritten(session)).toBe(false);
    await watched.uploads.close(session, hashOf(bytes), incoming(null));
    expect(row?.state).toBe('open');
    expect(row?.epoch).toBeGreaterThanOrEqual(epoch);
    expect((await pull(bytes)).equals(bytes)).toBe(true);
    expect((await services.rowOf(session))?.state).toBe('done');
    expect(services.filesOf(session)).toHaveLength(1);
    await expect(node.uploads.status(session)).rejects.toMatchObject(UNKNOWN);
    await node.uploads.close(session, hashOf(bytes), incoming(null)); // repeated after a lost 201
  });

  it('is known to whom it belongs, and to nobody else', async () => {
    const session = await open();
    await node.uploads.append(session, incoming(randomBytes(7)));
    expect((await node.uploads.status(session)).received).toBe(7);
    const other = await services.newRepository(`other${count}`);
    const strangers = [
      { ...session, repository: other },
      { ...session, uploader: { principal: 'user:2', credential: 'password' } },
    ];
    for (const stranger of strangers) {
      const { uploads } = node;
      await expect(uploads.status(stranger)).rejects.toMatchObject(UNKNOWN);
      await expect(uploads.append(stranger, incoming(Buffer.from('x')))).rejects.toMatchObject(UNKNOWN);
      await expect(uploads.append(stranger, incoming(randomBytes(SMALL * 10)))).rejects.toMatchObject(UNKNOWN);
      await expect(uploads.close(stranger, hashOf(Buffer.from('x')), incoming(null))).rejects.toMatchObject(UNKNOWN);
      await expect(uploads.cancel(stranger)).rejects.toMatchObject(UNKNOWN);
    }
    expect((await node.uploads.status(session)).received).toBe(7);
  });

  it('takes chunks in order, and tells one that is not where the upload is', async () => {
    const bytes = randomBytes(300);
    const session = await open();
    const { uploads } = node;
    await uploads.append(session, incoming(bytes.subarray(0, 100), '0-99'));
    const gap = { condition: 'chunkOutOfOrder', detail: { offset: 100 } };
    await expect(uploads.append(session, incoming(bytes.subarray(200), '200-299'))).rejects.toMatchObject(gap);
    expect(await inRow(session)).toBe(100); // written through, and it goes on there
    await uploads.append(session, incoming(bytes.subarray(100, 200), '100-199'));
    await uploads.close(session, hashOf(bytes), incoming(bytes.subarray(200), '200-299'));
    expect((await pull(bytes)).equals(bytes)).toBe(true);
  });

  it('records one of two chunks that come at once', async () => {
    const session = await open();
    const both = [randomBytes(50), randomBytes(50)].map((bytes) =>
      node.uploads.append(session, incoming(bytes, '0-49')),
    );
    const results = await Promise.allSettled(both);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await node.uploads.status(session)).received).toBe(50);
  });

  it('goes to the store with all of its bytes when it grows', async () => {
    const session = await open();
    const [head, more, large] = [randomBytes(100), randomBytes(INLINE_LIMIT - 50), randomBytes(INLINE_LIMIT * 3)];
    for (const bytes of [head, more, large]) await node.uploads.append(session, incoming(bytes));
    const whole = Buffer.concat([head, more, large]);
    await node.uploads.close(session, hashOf(whole), incoming(null));
    expect((await pull(whole)).equals(whole)).toBe(true);
  });

  it.each([
    ['a DELETE', (session: UploadSession) => node.uploads.cancel(session)],
    [
      'a wrong digest',
      (session: UploadSession) => node.uploads.close(session, hashOf(Buffer.from('x')), incoming(null)),
    ],
    ['a digest that is none', (session: UploadSession) => node.uploads.close(session, 'sha256:x', incoming(null))],
  ])('is over, with no row and no bytes, after %s', async (_, end) => {
    const session = await open();
    await node.uploads.append(session, incoming(randomBytes(100)));
    await end(session).catch(() => undefined);
    await expect(node.uploads.status(session)).rejects.toMatchObject(UNKNOWN);
    expect([await isWritten(session), services.filesOf(session)]).toEqual([false, []]);
  });

  it('goes on after a body that is not what its range says', async () => {
    const session = await open();
    const bytes = randomBytes(100);
    await node.uploads.append(session, incoming(bytes));
    const wrong = node.uploads.append(session, incoming(randomBytes(9), '100-199'));
    await expect(wrong).rejects.toMatchObject({ condition: 'sizeInvalid' });
    await node.uploads.close(session, hashOf(bytes), incoming(null));
    expect((await pull(bytes)).equals(bytes)).toBe(true);
  });
});

describe('a closing PUT of a draft that does not succeed', () => {
  let bytes: Buffer;

  beforeEach(() => {
    bytes = randomBytes(SMALL);
  });

  async function pending(put: Parameters<typeof embedded>[0]): Promise<UploadSession> {
    node = embedded(put);
    const session = await open();
    await node.uploads.append(session, incoming(bytes));
    return session;
  }

  it('leaves what was acknowledged when the store fails, and can be repeated', async () => {
    let failures = 1;
    const session = await pending((real, ...args) =>
      failures-- > 0 ? Promise.reject(new StoreUnavailable('full', 'no space')) : real(...args),
    );
    const failing = node.uploads.close(session, hashOf(bytes), incoming(null));
    await expect(failing).rejects.toMatchObject({ condition: 'unavailable' });
    expect(await inRow(session)).toBe(bytes.length);
    await node.uploads.close(session, hashOf(bytes), incoming(null));
    expect((await pull(bytes)).equals(bytes)).toBe(true);
    expect(services.filesOf(session)).toHaveLength(1);
  });

  it('makes one blob of two at once', async () => {
    const session = await pending((real, ...args) => real(...args));
    await Promise.all(
      [1, 2, 3].map(() => node.uploads.close(session, hashOf(bytes), incoming(null)).catch(() => undefined)),
    );
    expect((await services.rowOf(session))?.state).toBe('done');
    expect((await pull(bytes)).equals(bytes)).toBe(true);
    expect(services.filesOf(session)).toHaveLength(1);
  });

  it('is overtaken by a DELETE, and removes what it wrote', async () => {
    const slow = held();
    const session = await pending(slow.put);
    const closing = node.uploads.close(session, hashOf(bytes), incoming(null));
    await slow.began;
    expect((await node.uploads.status(session)).received).toBe(bytes.length); // asking disturbs nobody
    await node.uploads.cancel(session);
    slow.go();
    await expect(closing).rejects.toMatchObject(UNKNOWN);
    expect([await isWritten(session), services.filesOf(session)]).toEqual([false, []]);
  });

  it('is overtaken by a PATCH, which was acknowledged: the digest is not that of the upload any more', async () => {
    const slow = held();
    const session = await pending(slow.put);
    const closing = node.uploads.close(session, hashOf(bytes), incoming(null));
    await slow.began;
    const more = randomBytes(5);
    expect((await node.uploads.append(session, incoming(more))).received).toBe(bytes.length + 5);
    slow.go();
    await expect(closing).rejects.toMatchObject({ condition: 'digestMismatch' });
    expect(services.filesOf(session)).toEqual([]);
  });

  it('gets its 201 when it is repeated after a commit whose answer was lost', async () => {
    const session = await pending((real, ...args) => real(...args));
    const lost = new Error('the connection was lost');
    const key = { id: session.id, repoId: repository.id, principal: UPLOADER.principal };
    const closing = node.rows.reserve(key, async ({ epoch }) => {
      const done = `UPDATE uploads SET state = 'done', digest = $3 WHERE id = $1 AND epoch = $2`;
      await services.database.query(done, [session.id, epoch, digestToBytes(hashOf(bytes))]);
      throw lost;
    });
    await expect(closing).rejects.toBe(lost);
    expect(await node.uploads.close(session, hashOf(bytes), incoming(null))).toBe(hashOf(bytes));
  });
});

describe('what a draft holds', () => {
  it('dies with its process, and then nobody says that it is there', async () => {
    const session = await open();
    await node.uploads.append(session, incoming(randomBytes(SMALL)));
    await expect(services.node().uploads.status(session)).rejects.toMatchObject(UNKNOWN);
  });

  it('is in the row after a while by itself', async () => {
    node = services.node(undefined, 3600, 'brief');
    const session = await open();
    await node.uploads.append(session, incoming(randomBytes(SMALL)));
    while (!(await isWritten(session))) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await inRow(session)).toBe(SMALL);
  });

  it('is in the row when the node has stopped, and another goes on', async () => {
    const bytes = randomBytes(SMALL);
    const session = await open();
    await node.uploads.append(session, incoming(bytes));
    await node.rows.beforeApplicationShutdown();
    await services.node().uploads.close(session, hashOf(bytes), incoming(null));
    expect((await pull(bytes)).equals(bytes)).toBe(true);
    expect(await isWritten(await open())).toBe(true); // from then on rows come first
  });

  it('is bounded: uploads beyond that begin with their rows, and are no worse', async () => {
    const sessions = await Promise.all(
      Array.from({ length: 300 }, async (_, index) => {
        const session = await open();
        await node.uploads.append(session, incoming(Buffer.alloc(INLINE_LIMIT, index)));
        return session;
      }),
    );
    const [written] = await services.database.query<{ count: string }>(
      'SELECT count(*) FROM uploads WHERE id = ANY($1)',
      [sessions.map(({ id }) => id)],
    );
    expect(300 - Number(written?.count)).toBeLessThanOrEqual((16 * 1024 * 1024) / INLINE_LIMIT);
    for (const at of [0, 299]) {
      const bytes = Buffer.alloc(INLINE_LIMIT, at);
      await node.uploads.close(sessions[at] as UploadSession, hashOf(bytes), incoming(null));
      expect((await pull(bytes)).equals(bytes)).toBe(true);
    }
  });

  it('is named so that the sweep of the row finds its object', async () => {
    const slow = held();
    node = embedded(slow.put);
    const bytes = randomBytes(SMALL);
    const session = await open();
    await node.uploads.append(session, incoming(bytes));
    void node.uploads.close(session, hashOf(bytes), incoming(null)).catch(() => undefined);
    await slow.began;
    const row = await services.rowOf(session);
    // The node dies between the object and the commit.
    await services.store.put({ key: objectKeyOf(session.id), epoch: 1 }, bytes);
    await services.database.query(`UPDATE uploads SET expires_at = now() - interval '1 second' WHERE id = $1`, [
      session.id,
    ]);
    expect(row).toMatchObject({ state: 'open' });
    await services.node().sweeper.sweep();
    expect([await isWritten(session), services.filesOf(session)]).toEqual([false, []]);
    slow.go();
  });
});
