import { PutObjectCommand } from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { budget, configOf } from '../../../test/contracts/s3-config.js';
import { integrityServices, type IntegrityServices } from '../../../test/support/integrity-services.js';
import { onFileEnd, scratchDirectory } from '../../../test/support/processes.js';
import { freshBucket } from '../../../test/support/s3.js';
import type { BlobObject } from '../../registry/blobs/stored-blobs.js';
import { INTEGRITY_UNCHECKED } from './integrity-counts.js';
import type { BlobStore } from '../../storage/blob-store.js';
import { FilesystemStore } from '../../storage/filesystem/filesystem-store.js';
import type { ObjectKey } from '../../storage/object-keys.js';
import { S3Store } from '../../storage/s3/s3-store.js';
import { StoreUnavailable } from '../../storage/storage-errors.js';
import { RunLost, StoreNotUsable } from './integrity-walk.service.js';
import type { Progress } from './integrity-runs.repository.js';

interface OpenStore {
  readonly store: BlobStore;
  /** Behind the registry's back. */
  readonly overwrite: (key: string, bytes: Buffer) => Promise<void>;
}

const STORES: Record<string, () => Promise<OpenStore>> = {
  filesystem: () => {
    const root = path.join(scratchDirectory('blobs'), 'blobs');
    const overwrite = (key: string, bytes: Buffer): Promise<void> => {
      rmSync(path.join(root, key), { force: true });
      writeFileSync(path.join(root, key), bytes);
      return Promise.resolve();
    };
    return Promise.resolve({ store: new FilesystemStore(root), overwrite });
  },
  s3: async () => {
    const bucket = await freshBucket();
    const overwrite = async (Key: string, Body: Buffer): Promise<void> => {
      await bucket.client.send(new PutObjectCommand({ Bucket: bucket.bucket, Key, Body }));
    };
    return { store: new S3Store(configOf(bucket), budget()), overwrite };
  },
};

const RUNNING = new AbortController().signal;

/** The store, except for what a test changes. */
function like(store: BlobStore, changes: Partial<BlobStore>): BlobStore {
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(changes, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

describe.each(Object.entries(STORES))('a check of all blobs on %s', (_name, open) => {
  let store: BlobStore;
  let overwrite: OpenStore['overwrite'];
  let services: IntegrityServices;
  const contents = new Map<string, Buffer>();

  beforeEach(async () => {
    ({ store, overwrite } = await open());
    await store.prepare();
    onFileEnd(() => store.close());
    services = await integrityServices(store);
  }, 60_000);

  async function put(size = 1_000, algorithm: 'sha256' | 'sha512' = 'sha256'): Promise<BlobObject> {
    const bytes = randomBytes(size);
    const blob = await services.putBlob(bytes, algorithm);
    contents.set(blob.storageKey, bytes);
    return blob;
  }

  const bytesOf = ({ storageKey }: BlobObject): Buffer => contents.get(storageKey) ?? Buffer.alloc(0);
  const cut = (blob: BlobObject): Promise<void> => overwrite(blob.storageKey, bytesOf(blob).subarray(1));
  const restore = (blob: BlobObject): Promise<void> => overwrite(blob.storageKey, bytesOf(blob));
  const flip = (blob: BlobObject): Promise<void> => {
    const bytes = Buffer.from(bytesOf(blob));
    const at = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at);
    return overwrite(blob.storageKey, bytes);
  };

  it('finds what is missing, cut and changed by a bit, of both algorithms and any size, and nothing else', async () => {
    const sizes = [0, 1, 1_000, 70_000, 3 * 2 ** 20];
    const whole = await Promise.all(sizes.map((size) => put(size)));
    whole.push(await put(500, 'sha512'));
    const [missing, short, flipped, flipped512, large] = await Promise.all([
      put(),
      put(),
      put(),
      put(1_000, 'sha512'),
      put(9 * 2 ** 20),
    ]);
    await store.delete([missing.storageKey]);
    await cut(short);
    for (const blob of [flipped, flipped512, large]) await flip(blob);

    const looked = await services.walk.run(await services.begin({ hash: false }), RUNNING);
    expect(looked).toMatchObject({ blobs: 11, damaged: 2, unchecked: 0 });
    expect(await services.marks()).toEqual({ [missing.digest]: 'missing', [short.digest]: 'size' });

    const all = [...whole, missing, short, flipped, flipped512, large];
    const read = await services.walk.run(await services.begin(), RUNNING);
    const bytes = all.reduce((sum, { size }) => sum + size, 0);
    expect(read).toMatchObject({ blobs: 11, bytes, damaged: 5, healed: 0, unchecked: 0, reading: null });
    expect(await services.marks()).toEqual({
      [missing.digest]: 'missing',
      [short.digest]: 'size',
      [flipped.digest]: 'bytes',
      [flipped512.digest]: 'bytes',
      [large.digest]: 'bytes',
    });
    expect(await services.runs.find('fsck')).toMatchObject({
      state: 'done',
      damaged: 5,
      completedAt: expect.any(Date),
    });
  }, 60_000);

  it('takes marks off what is whole again, and that of wrong bytes only when it has read them', async () => {
    const [missing, flipped] = [await put(), await put()];
    await store.delete([missing.storageKey]);
    await flip(flipped);
    await services.walk.run(await services.begin(), RUNNING);
    await Promise.all([restore(missing), restore(flipped)]);
    const looked = await services.walk.run(await services.begin({ hash: false }), RUNNING);
    expect(looked).toMatchObject({ damaged: 1, healed: 1 });
    expect(await services.marks()).toEqual({ [flipped.digest]: 'bytes' });
    expect(await services.walk.run(await services.begin(), RUNNING)).toMatchObject({ damaged: 0, healed: 1 });
    expect(await services.marks()).toEqual({});
  });

  it('does not take a mark off for the size of an object whose bytes it has read as wrong', async () => {
    const blob = await put();
    await store.delete([blob.storageKey]);
    await services.walk.run(await services.begin({ hash: false }), RUNNING);
    await flip(blob); // as from an old copy
    expect(await services.walk.run(await services.begin(), RUNNING)).toMatchObject({ damaged: 1, healed: 0 });
    expect(await services.marks()).toEqual({ [blob.digest]: 'bytes' });
    const looked = await services.walk.run(await services.begin({ hash: false }), RUNNING);
    expect(looked).toMatchObject({ damaged: 1, healed: 0 });
    await restore(blob);
    expect(await services.walk.run(await services.begin(), RUNNING)).toMatchObject({ damaged: 0, healed: 1 });
  });

  it('says nothing of a blob that is deleted or has another object by the time it is judged', async () => {
    const [deleted, replaced] = [await put(), await put()];
    const { database } = services.content;
    const gone = like(store, {
      stat: async (key: ObjectKey) => {
        if (key === deleted.storageKey) await database.query('DELETE FROM blobs WHERE id = $1', [deleted.blobId]);
        if (key === replaced.storageKey) {
          const other = await put();
          await database.query('DELETE FROM blobs WHERE id = $1', [other.blobId]);
          await database.query('UPDATE blobs SET storage_key = $2 WHERE id = $1', [replaced.blobId, other.storageKey]);
        }
        await store.delete([key]);
        return store.stat(key);
      },
    });
    const run = await services.begin({ hash: false });
    expect(await services.over(gone).run(run, RUNNING)).toMatchObject({ blobs: 2, damaged: 0, unchecked: 0 });
    expect(await services.marks()).toEqual({});
  });

  it('counts what the store does not answer apart from damage, and bytes that were wrong only once', async () => {
    const [silent, fickle, whole] = [await put(), await put(), await put()];
    let reads = 0;
    const failing = like(store, {
      stat: (key: ObjectKey) =>
        key === silent.storageKey ? Promise.reject(new StoreUnavailable('timeout', 'no answer')) : store.stat(key),
      open: (key: ObjectKey, options?: Parameters<BlobStore['open']>[1]) =>
        store.open(key === fickle.storageKey && reads++ === 0 ? whole.storageKey : key, options),
    });
    const reasons: string[] = [];
    const watcher = { moved: () => undefined, unchecked: ({ digest }: BlobObject) => void reasons.push(digest) };
    const before = INTEGRITY_UNCHECKED.of('fsck');
    const result = await services.over(failing).run(await services.begin(), RUNNING, watcher);
    expect(result).toMatchObject({ blobs: 3, damaged: 0, unchecked: 2 });
    expect(reasons.sort()).toEqual([silent.digest, fickle.digest].sort());
    expect(INTEGRITY_UNCHECKED.of('fsck') - before).toBe(2);
    expect(await services.marks()).toEqual({});
  });

  it('stops, and stays where it is, when the store does not answer at all', async () => {
    for (let count = 0; count < 40; count += 1) await put(100);
    const dead = like(store, { stat: () => Promise.reject(new StoreUnavailable('network', 'refused')) });
    const failure = services.over(dead).run(await services.begin(), RUNNING);
    await expect(failure).rejects.toMatchObject({ name: 'StoreNotUsable', isForeign: false });
    const stopped = await services.runs.find('fsck');
    expect(stopped).toMatchObject({ state: 'running', blobs: 16, unchecked: 16 });
  });

  it('marks nothing in a store that is not the database’s, also when that happens meanwhile', async () => {
    const blobs = await Promise.all([put(), put()]);
    await store.delete(blobs.map(({ storageKey }) => storageKey));
    const run = await services.begin();
    const { database } = services.content;
    await database.query('UPDATE installation SET id = gen_random_uuid()');
    await expect(services.walk.run(run, RUNNING)).rejects.toThrow(/aerugo-installation/);
    await database.query('UPDATE installation SET id = $1', [services.installation]);
    let asked = 0;
    const { inventory } = store;
    const unmounted = like(store, {
      inventory: Object.assign(Object.create(inventory) as typeof inventory, {
        owner: () => Promise.resolve(asked++ === 0 ? services.installation : null),
      }),
    });
    const failure: unknown = await services
      .over(unmounted)
      .run(run, RUNNING)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StoreNotUsable);
    expect(failure).toMatchObject({ isForeign: true });
    expect(await services.marks()).toEqual({});
  });

  it('goes on behind what a holder that died has written, and stops one that was taken over or cancelled', async () => {
    const blobs: BlobObject[] = [];
    for (let count = 0; count < 20; count += 1) blobs.push(await put(10));
    const last = blobs.at(-1) as BlobObject;
    await store.delete([last.storageKey]);
    const stop = new AbortController();
    const seen: Progress[] = [];
    const watcher = {
      moved: (now: Progress) => {
        seen.push(now);
        stop.abort(new Error('the node stops'));
      },
      unchecked: () => undefined,
    };
    const run = await services.begin();
    await expect(services.walk.run(run, stop.signal, watcher)).rejects.toThrow('the node stops');
    expect(seen).toMatchObject([{ blobs: 16 }]);

    expect(await services.runs.takeOver('fsck')).toBeNull();
    await services.content.database.query("UPDATE integrity_runs SET lease_until = now() - interval '1 s'");
    const taken = await services.runs.takeOver('fsck');
    expect(taken).toMatchObject({ position: blobs[15]?.blobId, blobs: 16, epoch: run.epoch + 1 });
    await expect(services.walk.run(run, RUNNING)).rejects.toBeInstanceOf(RunLost);
    if (!taken) throw new Error('nothing was taken');
    expect(await services.walk.run(taken, RUNNING)).toMatchObject({ blobs: 20, bytes: 200, damaged: 1 });

    const next = await services.begin();
    expect(await services.runs.cancel('fsck')).toBe(true);
    await expect(services.walk.run(next, RUNNING)).rejects.toBeInstanceOf(RunLost);
    expect(await services.runs.cancel('fsck')).toBe(false);
    expect(await services.runs.find('fsck')).toMatchObject({ state: 'cancelled' });
  });
});
