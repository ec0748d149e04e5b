import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
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
import type { BlobStore } from '../../storage/blob-store.js';
import { InstrumentedStore } from '../../storage/instrumented-store.js';
import { heldBlob } from '../blobs/content.service.js';
import type { UploadSession } from './upload-session.js';
import type { UploadsService } from './uploads.service.js';

let services: UploadServices;
let uploads: UploadsService;
let repository: RepositoryFact;
let count = 0;

beforeAll(async () => {
  services = await uploadServices();
  ({ uploads } = services.node());
}, 60_000);

beforeEach(async () => {
  repository = await services.newRepository(`swept${++count}`);
});

const SIZE = 300 * 1024; // more than a row keeps

async function open(): Promise<UploadSession> {
  const { id } = await uploads.start(repository, UPLOADER, 'sha256');
  return sessionOf(repository, id);
}

describe('two uploads of one digest', () => {
  it('are both right, and the later one’s object is removed', async () => {
    const body = randomBytes(SIZE);
    const [first, second] = [await open(), await open()];
    await uploads.append(first, incoming(body));
    await uploads.append(second, incoming(body));
    const other = await services.newRepository('second');
    await uploads.close(first, hashOf(body), incoming(null));
    await uploads.close(second, hashOf(body), incoming(null));
    await untilGone(second);
    expect(services.filesOf(first)).toHaveLength(1);
    expect((await services.pull(repository, hashOf(body))).equals(body)).toBe(true);
    expect(await services.content.find(other, hashOf(body))).toBeNull();
  });

  it('bring back a blob that the collector had begun to delete, with the new object', async () => {
    const body = randomBytes(SIZE);
    const first = await open();
    await uploads.append(first, incoming(body));
    await uploads.close(first, hashOf(body), incoming(null));
    await services.database.query(`UPDATE blobs SET state = 'deleting'`);
    await services.facts.drop([heldBlob(repository, hashOf(body))]);
    expect(await services.content.find(repository, hashOf(body))).toBeNull();
    const second = await open();
    await uploads.append(second, incoming(body));
    await uploads.close(second, hashOf(body), incoming(null));
    expect((await services.content.find(repository, hashOf(body)))?.storageKey).toContain(second.id);
    expect((await services.pull(repository, hashOf(body))).equals(body)).toBe(true);
  });

  async function untilGone(session: UploadSession): Promise<void> {
    while (services.filesOf(session).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

describe('an upload that takes longer than it lives', () => {
  /** A quarter of it passes before it is prolonged; all of it must not pass before its request has begun. */
  const LIFE_S = 4;
  const expiryOf = async ({ id }: UploadSession): Promise<string> => {
    const [row] = await services.database.query<{ at: string }>(
      'SELECT expires_at::text AS at FROM uploads WHERE id = $1',
      [id],
    );
    return row?.at ?? 'gone';
  };

  async function untilProlonged(session: UploadSession): Promise<void> {
    const before = await expiryOf(session);
    while ((await expiryOf(session)) === before) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  it('is kept alive while its bytes come', async () => {
    const node = services.node(undefined, LIFE_S);
    const session = sessionOf(repository, (await node.uploads.start(repository, UPLOADER, 'sha256')).id);
    const body = randomBytes(SIZE);
    const slowly = Readable.from(
      (async function* () {
        yield body.subarray(0, SIZE / 2);
        await untilProlonged(session);
        yield body.subarray(SIZE / 2);
      })(),
      { objectMode: false },
    );
    expect(await node.uploads.append(session, incoming(slowly))).toMatchObject({ received: SIZE });
  });

  it('is kept alive while the store makes one object of it', async () => {
    const store = new SlowCompletion(services.store, () => untilProlonged(session));
    const node = services.node(store, LIFE_S);
    const session = sessionOf(repository, (await node.uploads.start(repository, UPLOADER, 'sha256')).id);
    const body = randomBytes(SIZE);
    await node.uploads.append(session, incoming(body));
    expect(await node.uploads.close(session, hashOf(body), incoming(null))).toBe(hashOf(body));
  });
});

class SlowCompletion extends InstrumentedStore {
  constructor(
    store: BlobStore,
    private readonly before: () => Promise<void>,
  ) {
    super(store);
  }

  override async complete(...args: Parameters<BlobStore['complete']>): ReturnType<BlobStore['complete']> {
    await this.before();
    return super.complete(...args);
  }
}

describe('the sweep', () => {
  const expire = ({ id }: UploadSession): Promise<unknown> =>
    services.database.query(`UPDATE uploads SET expires_at = now() - interval '1 second' WHERE id = $1`, [id]);

  it('removes open uploads with their bytes, and done ones without their blob', async () => {
    const body = randomBytes(SIZE);
    const { uploads: here, sweeper } = services.node();
    const [unfinished, small, done] = [await open(), await open(), await open()];
    await here.append(unfinished, incoming(body));
    await here.append(small, incoming(Buffer.from('few')));
    await here.append(done, incoming(body));
    await here.close(done, hashOf(body), incoming(null));
    for (const session of [unfinished, small, done]) await expire(session);
    await sweeper.sweep();
    expect([await services.rowOf(unfinished), await services.rowOf(small), await services.rowOf(done)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([services.filesOf(unfinished), services.filesOf(small), services.filesOf(done).length]).toEqual([[], [], 1]);
    expect((await services.pull(repository, hashOf(body))).equals(body)).toBe(true);
  });

  it('removes an object whose blob came back with another one', async () => {
    const body = randomBytes(SIZE);
    const { sweeper } = services.node();
    const [first, second] = [await open(), await open()];
    await uploads.append(first, incoming(body));
    await uploads.close(first, hashOf(body), incoming(null));
    await services.database.query('DELETE FROM uploads WHERE id = $1', [first.id]); // long ago
    await services.database.query(`UPDATE blobs SET state = 'deleting'`);
    await uploads.append(second, incoming(body));
    await uploads.close(second, hashOf(body), incoming(null));
    await expire(first);
    await sweeper.sweep();
    expect([services.filesOf(first), services.filesOf(second).length]).toEqual([[], 1]);
    expect((await services.pull(repository, hashOf(body))).equals(body)).toBe(true);
  });

  it('works on several nodes at once', async () => {
    const sessions = await Promise.all(Array.from({ length: 150 }, () => open()));
    await services.database.query(`UPDATE uploads SET expires_at = now() - interval '1 second' WHERE id = ANY($1)`, [
      sessions.map(({ id }) => id),
    ]);
    await Promise.all(Array.from({ length: 3 }, () => services.node().sweeper.sweep()));
    const rows = await Promise.all(sessions.map((session) => services.rowOf(session)));
    expect(rows.filter(Boolean)).toEqual([]);
  });
});
