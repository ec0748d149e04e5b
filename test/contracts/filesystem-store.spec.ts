import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { Appended } from '../../src/storage/blob-store.js';
import { FilesystemStore, MAX_CHUNKS } from '../../src/storage/filesystem/filesystem-store.js';
import { epochKey } from '../../src/storage/object-keys.js';
import { ObjectNotFound, StoreUnavailable, TooManyChunks } from '../../src/storage/storage-errors.js';
import { describeBlobInventory } from './blob-inventory.contract.js';
import { describeBlobStore } from './blob-store.contract.js';
import { chunked, UploadRow } from './upload-row.js';

const STAYS = new AbortController().signal;
const scratch = mkdtempSync(join(tmpdir(), 'aerugo-blobs-'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

describeBlobStore('filesystem', () => {
  const root = join(scratch, 'blobs');
  return Promise.resolve({
    races: 40,
    node: () => new FilesystemStore(root),
    namesOf: (stem) => {
      const folder = stem.slice(0, 2);
      const names = readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);
      return Promise.resolve(names.filter((name) => name.startsWith(stem)));
    },
  });
});

describeBlobInventory('filesystem', () => {
  const root = join(scratch, 'listed');
  return Promise.resolve({
    node: () => new FilesystemStore(root),
    addForeign: (name) => {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), 'foreign');
      return Promise.resolve();
    },
    listsMultiparts: false,
  });
});

describe('the filesystem store', () => {
  it('is prepared by several nodes at once, none of which has made the directory yet', async () => {
    for (let round = 0; round < 10; round++) {
      const root = join(scratch, `first-start-${round}`);
      const nodes = Array.from({ length: 8 }, () => new FilesystemStore(root));
      await Promise.all(nodes.map((node) => node.prepare()));
      expect(readdirSync(root)).toHaveLength(256);
    }
  });

  it('keeps directories and files from other users', async () => {
    const store = new FilesystemStore(join(scratch, 'private'));
    await store.prepare();
    const key = await store.put(new UploadRow().begin().target, Buffer.from('secret'));
    const modes = ['', key.slice(0, 2), key].map((path) => statSync(join(scratch, 'private', path)).mode & 0o777);
    expect(modes).toEqual([0o700, 0o700, 0o600]);
    await store.close();
  });

  it('says in one line what is wrong with its directory', async () => {
    writeFileSync(join(scratch, 'file'), '');
    const failure = new FilesystemStore(join(scratch, 'file')).prepare();
    await expect(failure).rejects.toThrow(/^blobs cannot be kept in .*\(EEXIST\).*DATA_DIR$/);
  });

  it('tells a failing directory from an absent object', async () => {
    const store = new FilesystemStore(join(scratch, 'broken'));
    await store.prepare();
    const row = new UploadRow();
    const folder = join(scratch, 'broken', row.key.slice(0, 2));
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'a file where a directory should be');
    await expect(store.stat(row.key)).rejects.toBeInstanceOf(StoreUnavailable);
    const open = store.open(row.key);
    await expect(open).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(open).rejects.not.toBeInstanceOf(ObjectNotFound);
    const body = chunked(randomBytes(3_000_000));
    await expect(row.send(store, body)).rejects.toMatchObject({ code: 'store_unavailable', reason: 'io' });
    rmSync(folder);
    mkdirSync(folder);
    expect(await row.send(store, chunked(Buffer.from('well again')))).toBe(true);
    await store.close();
  });

  it('takes so many chunks of one upload and no more', async () => {
    const store = new FilesystemStore(join(scratch, 'chunks'));
    await store.prepare();
    const row = new UploadRow();
    const chunks = (count: number): Promise<Appended> => {
      const segments = Array.from({ length: count }, (_, at) => ({ key: epochKey(row.key, at + 1), size: 1 }));
      const options = { offset: count, expectedBytes: null, signal: STAYS, persist: () => Promise.resolve() };
      const target = { key: row.key, epoch: count + 1 };
      return store.append(target, { driver: 'filesystem', segments }, chunked(Buffer.from('x')), options);
    };
    await expect(chunks(MAX_CHUNKS)).rejects.toBeInstanceOf(TooManyChunks);
    expect(await chunks(MAX_CHUNKS - 1)).toMatchObject({ bytes: 1 });
    await store.close();
  });
});
