import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../../test/support/processes.js';
import {
  hashOf,
  incoming,
  sessionOf,
  UPLOADER,
  uploadServices,
  type UploadServices,
} from '../../../../test/support/upload-services.js';
import { OrphanObjects } from '../../blobs/orphan-objects.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import type { BlobStore, Compaction } from '../../../storage/blob-store.js';
import type { UploadSession } from '../upload-session.js';

const CHUNK = 5 * 2 ** 20;
const CHUNKS = 3;

let services: UploadServices;
let repository: RepositoryFact;
let count = 0;

beforeAll(async () => {
  services = await uploadServices();
}, 60_000);

beforeEach(async () => {
  repository = await services.newRepository(`split${++count}`);
});

/** A node whose store joins files in this way. */
function nodeWith(compact: Compaction['compact']) {
  return services.node(Object.create(services.store, { compaction: { value: { compact } } }) as BlobStore);
}

const fails = (): Promise<never> => Promise.reject(new Error('no room'));

async function push(node: ReturnType<UploadServices['node']>, bytes: Buffer): Promise<UploadSession> {
  const session = sessionOf(repository, (await node.uploads.start(repository, UPLOADER, 'sha256')).id);
  for (let at = 0; at < bytes.length; at += CHUNK)
    await node.uploads.append(session, incoming(bytes.subarray(at, at + CHUNK), `${at}-${at + CHUNK - 1}`));
  await node.uploads.close(session, hashOf(bytes), incoming(null));
  return session;
}

async function rowOf({ id }: UploadSession) {
  const [row] = await services.database.query<{ kept: boolean; waits: boolean; epoch: number }>(
    `SELECT expires_at = 'infinity' AS kept, compact_after > now() AS waits, epoch FROM uploads WHERE id = $1`,
    [id],
  );
  return row;
}

async function due({ id }: UploadSession): Promise<void> {
  await services.database.query('UPDATE uploads SET compact_after = now() WHERE id = $1', [id]);
}

describe('a blob that came in chunks', () => {
  it('is joined after its 201, and its row then expires like others', async () => {
    const bytes = randomBytes(CHUNK * CHUNKS);
    const node = services.node();
    const session = await push(node, bytes);
    await node.compactor.wake();
    expect(services.filesOf(session)).toEqual([expect.stringMatching(/w$/)]);
    expect(await rowOf(session)).toMatchObject({ kept: false, waits: null });
    expect((await services.pull(repository, hashOf(bytes))).equals(bytes)).toBe(true);
  });

  it('keeps its row, and with it all of its files, until it is joined', async () => {
    const bytes = randomBytes(CHUNK * CHUNKS);
    const node = nodeWith(fails);
    const session = await push(node, bytes);
    await node.compactor.wake();
    expect(await rowOf(session)).toMatchObject({ kept: true, waits: true });
    await node.sweeper.sweep();
    const keys = services.filesOf(session).map((name) => `${session.id.slice(-2)}/${name}` as never);
    expect(keys).toHaveLength(CHUNKS + 1);
    expect(await new OrphanObjects(services.unitOfWork).unnamed(keys)).toEqual(new Set());
    expect((await services.pull(repository, hashOf(bytes))).equals(bytes)).toBe(true);
    // A closing PUT that is repeated meanwhile gets its 201 and changes nothing.
    await node.uploads.close(session, hashOf(bytes), incoming(null));
    const another = services.node();
    await another.compactor.wake();
    expect(services.filesOf(session)).toHaveLength(CHUNKS + 1); // it waits for its time
    await due(session);
    await another.compactor.wake();
    expect(services.filesOf(session)).toHaveLength(1);
    expect((await services.pull(repository, hashOf(bytes))).equals(bytes)).toBe(true);
  });

  it('is joined by another node when the first one dies at it, and that one changes nothing any more', async () => {
    const bytes = randomBytes(CHUNK * CHUNKS);
    const [began, go] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const node = nodeWith(async (...args) => {
      began.resolve(undefined);
      await go.promise;
      await services.store.compaction?.compact(...args);
    });
    const session = await push(node, bytes);
    await began.promise;
    await due(session); // the lease is over
    await services.node().compactor.wake();
    const before = await rowOf(session);
    go.resolve(undefined);
    await node.compactor.wake();
    expect(await rowOf(session)).toEqual(before);
    expect(services.filesOf(session)).toHaveLength(1);
    expect((await services.pull(repository, hashOf(bytes))).equals(bytes)).toBe(true);
  });

  it.each([
    ['a part of it is lost', /\.\d+$/, rmSync],
    [
      'a part of it is cut short',
      /\.\d+$/,
      (file: string) => {
        truncateSync(file, 10);
      },
    ],
    ['its list is lost', /l$/, rmSync],
    [
      'its list is garbled',
      /l$/,
      (file: string) => {
        writeFileSync(file, '');
      },
    ],
  ])('is marked when %s, left alone for a day, and healed by a push', async (_what, name, harm) => {
    const bytes = randomBytes(CHUNK * CHUNKS);
    const first = nodeWith(fails);
    const session = await push(first, bytes);
    await first.compactor.wake();
    const folder = path.join(services.root, session.id.slice(-2));
    harm(path.join(folder, services.filesOf(session).find((file) => name.test(file)) ?? ''));
    await due(session);
    const node = services.node();
    await node.compactor.wake();
    const [row] = await services.database.query(
      `SELECT b.state, u.compact_after > now() + interval '23 hours' AS rests
       FROM uploads u JOIN blobs b ON b.storage_key = u.object_key WHERE u.id = $1`,
      [session.id],
    );
    expect(row).toEqual({ state: 'damaged', rests: true });
    await push(node, bytes);
    await node.compactor.wake();
    expect((await services.pull(repository, hashOf(bytes))).equals(bytes)).toBe(true);
    await due(session);
    await node.compactor.wake();
    await eventually('the sweep removes what is left', async () => {
      await node.sweeper.sweep();
      return services.filesOf(session).length === 0;
    });
  });

  it('is joined later when its volume was away meanwhile', async () => {
    const bytes = randomBytes(CHUNK * CHUNKS);
    const first = nodeWith(fails);
    const session = await push(first, bytes);
    await first.compactor.wake();
    await due(session);
    const node = services.node();
    renameSync(services.root, `${services.root}-away`);
    mkdirSync(services.root);
    await node.compactor.wake();
    rmSync(services.root, { recursive: true });
    renameSync(`${services.root}-away`, services.root);
    expect(await rowOf(session)).toMatchObject({ kept: true, waits: true });
    await due(session);
    await node.compactor.wake();
    expect(services.filesOf(session)).toEqual([expect.stringMatching(/w$/)]);
    expect((await services.pull(repository, hashOf(bytes))).equals(bytes)).toBe(true);
  });

  it('that another upload was faster with leaves nothing', async () => {
    const bytes = randomBytes(CHUNK * CHUNKS);
    const first = await push(services.node(), bytes);
    const node = services.node();
    const second = await push(node, bytes);
    await node.compactor.wake();
    await node.sweeper.sweep();
    while (services.filesOf(second).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await rowOf(second)).toBeUndefined();
    expect(services.filesOf(first).length).toBeGreaterThan(0);
    expect((await services.pull(repository, hashOf(bytes))).equals(bytes)).toBe(true);
  });
});
