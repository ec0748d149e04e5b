import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { budget, configOf } from '../../../test/contracts/s3-config.js';
import { chunked, UploadRow } from '../../../test/contracts/upload-row.js';
import { type ContentServices, contentServices } from '../../../test/support/content-services.js';
import { onFileEnd, scratchDirectory } from '../../../test/support/processes.js';
import { freshBucket } from '../../../test/support/s3.js';
import { OrphanObjects } from '../../registry/blobs/orphan-objects.js';
import type { AppConfig } from '../../config/config.js';
import type { BlobStore } from '../../storage/blob-store.js';
import { FilesystemStore } from '../../storage/filesystem/filesystem-store.js';
import { type ObjectKey, uploadIdOf } from '../../storage/object-keys.js';
import { S3Store } from '../../storage/s3/s3-store.js';
import { Installation } from './installation.entity.js';
import { InstallationRepository } from './installation.repository.js';
import { Reconciler } from './reconciler.service.js';
import { ForeignStore, StoreBinding } from './store-binding.service.js';

const STORES: Record<string, () => Promise<BlobStore>> = {
  filesystem: () => Promise.resolve(new FilesystemStore(path.join(scratchDirectory('blobs'), 'blobs'))),
  s3: async () => new S3Store(configOf(await freshBucket()), budget()),
};
const CONFIG = { storage: { reconcileIntervalSeconds: 3600, reconcileGraceSeconds: 86_400 } } as unknown as AppConfig;
const RUNNING = new AbortController().signal;
/** The stores' clocks tick in seconds. */
const EVERYTHING = { graceSeconds: -2 };

function reconcilerOf(services: ContentServices, store: BlobStore): { binding: StoreBinding; reconciler: Reconciler } {
  const named = new OrphanObjects(services.unitOfWork);
  const installations = new InstallationRepository(services.repository(Installation));
  const binding = new StoreBinding(installations, named, store, CONFIG);
  return { binding, reconciler: new Reconciler(installations, binding, named, store, CONFIG) };
}

describe.each(Object.entries(STORES))('the reconcile on %s', (_name, newStore) => {
  let services: ContentServices;
  let store: BlobStore;
  let binding: StoreBinding;
  let reconciler: Reconciler;
  let repoId: number;

  beforeEach(async () => {
    services = await contentServices();
    const opened = await newStore();
    await opened.prepare();
    onFileEnd(() => opened.close());
    store = opened;
    ({ binding, reconciler } = reconcilerOf(services, store));
    await binding.ensure();
    ({ id: repoId } = await services.newRepository('app'));
  }, 60_000);

  const put = (): Promise<ObjectKey> => store.put(new UploadRow().begin().target, randomBytes(100));

  async function blob(key: ObjectKey, state = 'live'): Promise<void> {
    await services.database.query(
      `INSERT INTO blobs (domain, digest, size, store, storage_key, state) VALUES ('*', $1, 100, $2, $3, $4)`,
      [randomBytes(33), store.driver, key, state],
    );
  }

  async function upload(key: ObjectKey): Promise<void> {
    await services.database.query(
      `INSERT INTO uploads (id, repo_id, principal, credential, expires_at) VALUES ($1, $2, 'user:1', 'password', now())`,
      [uploadIdOf(key), repoId],
    );
  }

  async function areThere(keys: readonly ObjectKey[]): Promise<boolean[]> {
    return Promise.all(keys.map(async (key) => (await store.stat(key)) !== null));
  }

  it('removes what neither a blob nor an upload names, once it is old enough, and nothing else', async () => {
    const [live, deleting, uploading, orphan] = [await put(), await put(), await put(), await put()];
    await blob(live);
    await blob(deleting, 'deleting');
    await upload(uploading);
    expect(await reconciler.run(RUNNING)).toMatchObject({ objects: 4, bytes: 400, removedObjects: 0 });
    expect(await areThere([orphan])).toEqual([true]);
    expect(await reconciler.run(RUNNING, EVERYTHING)).toMatchObject({ removedObjects: 1, removedBytes: 100 });
    expect(await areThere([live, deleting, uploading, orphan])).toEqual([true, true, true, false]);
    expect(await reconciler.run(RUNNING, EVERYTHING)).toMatchObject({ objects: 3, removedObjects: 0 });
  });

  it('ends multipart uploads of which no upload is left, where the store lists them', async () => {
    const [known, unknown] = [new UploadRow(), new UploadRow()];
    for (const row of [known, unknown]) await row.send(store, chunked(randomBytes(9 * 1024 * 1024)));
    await upload(`${known.key}.1` as ObjectKey);
    const isListed = store.driver === 's3';
    const expected = { multiparts: isListed ? 2 : 0, abortedMultiparts: isListed ? 1 : 0 };
    expect(await reconciler.run(RUNNING, EVERYTHING)).toMatchObject(expected);
    await known.commit(store);
    if (isListed) await expect(unknown.commit(store)).rejects.toMatchObject({ code: 'upload_lost' });
  });

  it('is never run by two nodes at once, waits for its time, and goes on after a node that died', async () => {
    const runs = await Promise.all(Array.from({ length: 5 }, () => reconciler.run(RUNNING)));
    expect(runs.filter((run) => run !== null).length).toBeGreaterThan(0);
    expect(await reconciler.run(RUNNING, { onlyIfDue: true })).toBeNull();
    await services.database.query(`UPDATE installation SET reconciler = $1`, [randomUUID()]);
    expect(await reconciler.run(RUNNING)).toBeNull();
    await services.database.query(`UPDATE installation SET reconcile_due = now()`);
    expect(await reconciler.run(RUNNING, { onlyIfDue: true })).not.toBeNull();
  });

  it('stops when another node has taken over, and when its own node stops', async () => {
    const orphan = await put();
    const stopped = AbortSignal.abort(new Error('the node stops'));
    await expect(reconciler.run(stopped, EVERYTHING)).rejects.toThrow('the node stops');
    const { inventory } = store;
    const slow = Object.assign(Object.create(store) as BlobStore, {
      inventory: {
        owner: () => inventory.owner(),
        async *objects() {
          await services.database.query(`UPDATE installation SET reconciler = $1`, [randomUUID()]);
          yield* inventory.objects();
        },
      },
    });
    await expect(reconcilerOf(services, slow).reconciler.run(RUNNING, EVERYTHING)).rejects.toThrow('taken over');
    expect(await areThere([orphan])).toEqual([true]);
  });

  it('removes nothing for a database that is new, empty or another one’s', async () => {
    const orphan = await put();
    const other = await contentServices();
    await expect(reconcilerOf(other, store).binding.ensure()).rejects.toBeInstanceOf(ForeignStore);
    await other.database.query(`INSERT INTO installation (id, reconcile_due) VALUES ($1, now())`, [randomUUID()]);
    const foreign = reconcilerOf(other, store).reconciler.run(RUNNING, EVERYTHING);
    await expect(foreign).rejects.toThrow(/belongs to another installation/);
    await services.database.query(`DELETE FROM installation`);
    await expect(binding.ensure()).rejects.toBeInstanceOf(ForeignStore);
    expect(await areThere([orphan])).toEqual([true]);
  });

  it('removes nothing for a database that names less than half, as one from an old backup', async () => {
    const keys: ObjectKey[] = [];
    for (let count = 0; count < 25; count += 1) keys.push(await put());
    await Promise.all(keys.slice(0, 5).map((key) => blob(key)));
    const old = reconciler.run(RUNNING, EVERYTHING);
    await expect(old).rejects.toThrow(/names less than half of the blobs/);
    expect((await areThere(keys)).filter(Boolean).length).toBeGreaterThanOrEqual(14);
  });
});

describe('the binding of a store that has no mark', () => {
  it('is made when both are empty or it has what the database names, and refused otherwise', async () => {
    const services = await contentServices();
    const root = path.join(scratchDirectory('blobs'), 'blobs');
    const store = new FilesystemStore(root);
    await store.prepare();
    onFileEnd(() => store.close());
    const key = await store.put(new UploadRow().begin().target, randomBytes(10));
    const { binding } = reconcilerOf(services, store);
    await expect(binding.ensure()).rejects.toThrow(/the database knows none/);
    await services.database.query(
      `INSERT INTO blobs (domain, digest, size, store, storage_key) VALUES ('*', $1, 10, 'filesystem', $2)`,
      [randomBytes(33), key],
    );
    await Promise.all([binding.ensure(), binding.ensure(), reconcilerOf(services, store).binding.ensure()]);
    const owner = await store.inventory.owner();
    const rows = await services.database.query('SELECT id FROM installation');
    expect(rows).toEqual([{ id: owner }]);
    rmSync(path.join(root, 'aerugo-installation'));
    await binding.ensure();
    expect(await store.inventory.owner()).toBe(owner);
  });

  it('is refused for an empty store when the database names blobs, as of a volume that is not mounted', async () => {
    const services = await contentServices();
    const store = new FilesystemStore(path.join(scratchDirectory('blobs'), 'blobs'));
    await store.prepare();
    onFileEnd(() => store.close());
    const { binding } = reconcilerOf(services, store);
    await services.database.query(
      `INSERT INTO blobs (domain, digest, size, store, storage_key) VALUES ('*', $1, 10, 'filesystem', $2)`,
      [randomBytes(33), new UploadRow().begin().target.key],
    );
    await expect(binding.ensure()).rejects.toThrow(/is the volume mounted/);
    expect(store.refusal).toMatchObject({ reason: 'foreign' });
    // Not even when others have pushed into it since.
    await store.put(new UploadRow().begin().target, randomBytes(10));
    await expect(binding.ensure()).rejects.toBeInstanceOf(ForeignStore);
    expect(await store.inventory.owner()).toBeNull();
    // As an operator does whose blobs are lost.
    const id = randomUUID();
    await services.database.query('INSERT INTO installation (id, reconcile_due) VALUES ($1, now())', [id]);
    await store.inventory.claim(id);
    await binding.ensure();
    expect(store.refusal).toBeNull();
  });

  it('is refused for another one’s store, which takes bytes only while the database’s own are in it', async () => {
    const services = await contentServices();
    const store = new FilesystemStore(path.join(scratchDirectory('blobs'), 'blobs'));
    await store.prepare();
    onFileEnd(() => store.close());
    await store.inventory.claim(randomUUID());
    const { binding } = reconcilerOf(services, store);
    await expect(binding.ensure()).rejects.toThrow(/belongs to another installation/);
    expect(store.refusal).toBeNull();
    const { key } = new UploadRow().begin().target;
    await services.database.query(
      `INSERT INTO blobs (domain, digest, size, store, storage_key) VALUES ('*', $1, 10, 'filesystem', $2)`,
      [randomBytes(33), key],
    );
    await expect(binding.ensure()).rejects.toThrow(/belongs to another installation/);
    expect(store.refusal).toMatchObject({ reason: 'foreign' });
  });
});
