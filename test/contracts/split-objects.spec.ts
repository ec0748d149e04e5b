import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import * as real from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { listKeyOf, type ObjectKey } from '../../src/storage/object-keys.js';
import { all } from './blob-inventory.contract.js';
import { chunked, contentOf, UploadRow } from './upload-row.js';

/** The disk: how many bytes it takes more, and how much room it says it has. */
const disk = { room: Infinity, free: Infinity };
/** Files that are open now, and the most that there have been. */
const files = { open: 0, most: 0 };
/** Syncs of files and folders, and names that were removed, in their order. */
const steps: string[] = [];

jest.unstable_mockModule('node:fs/promises', () => ({
  ...real,
  statfs: async (at: string) => {
    const found = await real.statfs(at);
    return { bsize: 1, bavail: Math.min(disk.free, found.bavail * found.bsize) };
  },
  rm: async (...args: Parameters<typeof real.rm>) => {
    steps.push(String(args[0]));
    await real.rm(...args);
  },
  open: async (...args: Parameters<typeof real.open>) => {
    const handle = await real.open(...args);
    files.open += 1;
    files.most = Math.max(files.most, files.open);
    const [write, close] = [handle.write.bind(handle), handle.close.bind(handle)];
    const limited = async (buffer: Uint8Array, offset = 0): Promise<{ bytesWritten: number }> => {
      if (disk.room === 0) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' });
      const taken = Math.min(buffer.length - offset, disk.room);
      disk.room -= taken;
      return write(buffer, offset, taken);
    };
    const sync = handle.sync.bind(handle);
    const told = async (): Promise<void> => {
      await sync();
      steps.push('sync');
    };
    const counted = async (): Promise<void> => {
      files.open -= 1;
      await close();
    };
    return Object.assign(handle, { write: limited, sync: told, close: counted });
  },
}));
const { FilesystemStore } = await import('../../src/storage/filesystem/filesystem-store.js');

const MIB = 2 ** 20;
const root = mkdtempSync(path.join(tmpdir(), 'aerugo-split-'));
const store = new FilesystemStore(root);
await store.prepare();
afterAll(async () => {
  await store.close();
  rmSync(root, { recursive: true });
});
beforeEach(() => {
  Object.assign(disk, { room: Infinity, free: Infinity });
});
afterEach(() => {
  expect(files.open).toBeLessThanOrEqual(FOLDER_HANDLES);
});
/** The store keeps those of the folders that it has synced. */
const FOLDER_HANDLES = 256;

function filesOf({ key }: UploadRow): string[] {
  const folder = path.join(root, key.slice(0, 2));
  return readdirSync(folder)
    .filter((name) => name.startsWith(key.slice(3)))
    .map((name) => path.join(folder, name));
}

const inodesOf = (row: UploadRow): number[] => filesOf(row).map((file) => statSync(file).ino);
const isThere = (key: ObjectKey): boolean => existsSync(path.join(root, key));

/** An upload in chunks of these sizes, completed. */
async function split(sizes: readonly number[]): Promise<{ row: UploadRow; key: ObjectKey; bytes: Buffer }> {
  const row = new UploadRow();
  const chunks = sizes.map((size) => randomBytes(size));
  for (const chunk of chunks) await row.send(store, chunked(chunk));
  return { row, key: await row.commit(store), bytes: Buffer.concat(chunks) };
}

const THREE = [4 * MIB, 4 * MIB + 1, 3 * MIB];

describe('an upload in several files', () => {
  it('is completed without a copy: only a list is written, however large it is', async () => {
    const row = new UploadRow();
    for (const size of THREE) await row.send(store, chunked(randomBytes(size)));
    const before = inodesOf(row);
    disk.room = 4096;
    await row.commit(store);
    expect(row.isSplit).toBe(true);
    expect(inodesOf(row)).toEqual(expect.arrayContaining(before));
    expect(filesOf(row)).toHaveLength(before.length + 1);
    expect(4096 - disk.room).toBeLessThan(1000);
  });

  it('is joined at once while that is a small copy', async () => {
    const { row, key, bytes } = await split([MIB, MIB]);
    expect([row.isSplit, isThere(key)]).toEqual([false, true]);
    expect((await contentOf(store, key)).equals(bytes)).toBe(true);
  });

  it('gives every range across its boundaries, before and after it is joined', async () => {
    const { row, key, bytes } = await split(THREE);
    const edges = [0, THREE[0] ?? 0, (THREE[0] ?? 0) + (THREE[1] ?? 0), bytes.length];
    const ranges = edges
      .flatMap((edge) => [-1, 0, 1].map((by) => edge + by))
      .filter((at) => at >= 0 && at < bytes.length);
    for (const _ of ['split', 'joined']) {
      for (const first of ranges)
        for (const last of ranges.filter((at) => at >= first))
          if ((await contentOf(store, key, { first, last })).compare(bytes, first, last + 1) !== 0)
            throw new Error(`${String(first)}-${String(last)}`);
      await row.compact(store, key);
    }
  });

  it('of 1,000 chunks is read with few files open, and joined', async () => {
    const { row, key, bytes } = await split(Array.from({ length: 1000 }, () => 10_000));
    const before = files.open;
    files.most = before;
    expect((await contentOf(store, key)).equals(bytes)).toBe(true);
    await row.compact(store, key);
    expect(files.most - before).toBeLessThanOrEqual(3);
    expect(filesOf(row)).toHaveLength(1);
    expect((await contentOf(store, key)).equals(bytes)).toBe(true);
  }, 120_000);

  it('gives the right bytes to a reader that is anywhere in it while it is joined', async () => {
    for (const read of [0, 1, 3 * MIB, 4 * MIB, 6 * MIB, 9 * MIB]) {
      const { row, key, bytes } = await split(THREE);
      const chunks: Buffer[] = [];
      let received = 0;
      let isJoined = false;
      for await (const chunk of await store.open(key)) {
        chunks.push(chunk as Buffer);
        received += (chunk as Buffer).length;
        if (!isJoined && received >= read) {
          await row.compact(store, key);
          expect(filesOf(row)).toHaveLength(1);
          isJoined = true;
        }
      }
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    }
  });

  it('is as large as its files are, and is not read beyond one that is cut short', async () => {
    const { row, key, bytes } = await split(THREE);
    const [first = ''] = filesOf(row).filter((name) => name.endsWith('.1'));
    truncateSync(first, 1000);
    expect(await store.stat(key)).toEqual({ size: bytes.length - (THREE[0] ?? 0) + 1000 });
    await expect(contentOf(store, key)).rejects.toThrow('shorter');
    await expect(row.compact(store, key)).rejects.toMatchObject({ code: 'object_size_differs' });
    rmSync(first);
    await expect(store.open(key)).rejects.toMatchObject({ code: 'object_not_found' });
    await expect(new UploadRowOf(row).commit(store)).rejects.toMatchObject({ code: 'upload_lost' });
  });

  it.each(['', '[', '[]', 'null', '[["../../x",1]]', '\0'.repeat(100)])(
    'has no bytes when its list is %j, and is nobody’s obstacle',
    async (text) => {
      const { row, key, bytes } = await split(THREE);
      const damaged = path.join(root, listKeyOf(key));
      writeFileSync(damaged, text);
      expect(await store.stat(key)).toEqual({ size: 0 });
      for (const options of [{}, { size: bytes.length }, { size: 0 }])
        await expect(store.open(key, options)).rejects.toMatchObject({ code: 'object_size_differs' });
      await expect(row.compact(store, key)).rejects.toMatchObject({ code: 'object_size_differs' });
      const listed = (await all(store.inventory.objects())).filter((object) => object.key.startsWith(row.key));
      expect(listed.find((object) => object.key === key)?.size).toBe(0);
      expect(listed).toHaveLength(THREE.length + 1);
      await store.delete([key]);
      expect(existsSync(damaged)).toBe(false);
      await store.abandon(row.claim(), null);
      expect(filesOf(row)).toEqual([]);
    },
  );

  it('is its file once that is there, whatever became of the list', async () => {
    const { row, key, bytes } = await split(THREE);
    writeFileSync(path.join(root, key), bytes);
    writeFileSync(path.join(root, listKeyOf(key)), '');
    await row.compact(store, key);
    expect(existsSync(path.join(root, listKeyOf(key)))).toBe(false);
    await store.abandon(row.claim(), null, key);
    expect(filesOf(row)).toHaveLength(1);
    expect((await contentOf(store, key)).equals(bytes)).toBe(true);
  });

  it('leaves nothing behind when a reader stops, and tells a signal’s reason', async () => {
    const { key } = await split(THREE);
    const before = files.open;
    (await store.open(key)).destroy();
    for await (const chunk of await store.open(key)) if ((chunk as Buffer).length > 0) break;
    const abort = new AbortController();
    const stream = await store.open(key, { signal: abort.signal });
    abort.abort(new Error('the client left'));
    await expect(stream.toArray()).rejects.toThrow('the client left');
    while (files.open > before) await new Promise((resolve) => setImmediate(resolve));
  });
});

/** The same upload, completed again. */
class UploadRowOf extends UploadRow {
  constructor(row: UploadRow) {
    super();
    Object.assign(this, row);
  }
}

describe('the files of one object', () => {
  it('are listed as one, and none of them is anybody’s garbage', async () => {
    const { row, key, bytes } = await split(THREE);
    const date: unknown = expect.anything();
    const listed = async () =>
      (await all(store.inventory.objects())).filter((object) => object.key.startsWith(row.key));
    expect(await listed()).toEqual([{ key, size: bytes.length, modifiedAt: date }]);
    await row.compact(store, key);
    expect(await listed()).toEqual([{ key, size: bytes.length, modifiedAt: date }]);
  });

  it('stay when the finished upload is abandoned, joined or not, and its other names go', async () => {
    const { row, key, bytes } = await split(THREE);
    const lost = row.begin();
    await store.append(lost.target, lost.state, chunked(randomBytes(100)), {
      offset: lost.offset,
      expectedBytes: null,
      signal: new AbortController().signal,
      persist: () => Promise.resolve(),
    });
    for (const expected of [THREE.length + 1, 1]) {
      await store.abandon(row.claim(), null, key);
      expect(filesOf(row)).toHaveLength(expected);
      expect((await contentOf(store, key)).equals(bytes)).toBe(true);
      await row.compact(store, key);
    }
  });

  it('go with the object', async () => {
    for (const isJoined of [false, true]) {
      const { row, key } = await split(THREE);
      if (isJoined) await row.compact(store, key);
      await store.delete([key]);
      expect(filesOf(row)).toEqual([]);
      expect(await store.stat(key)).toBeNull();
      await expect(row.compact(store, key)).rejects.toMatchObject({ code: 'object_size_differs' });
    }
  });
});

describe('a compaction', () => {
  it('that the disk has no room for changes nothing, whether it is seen before or on the way', async () => {
    const { row, key, bytes } = await split(THREE);
    for (const limit of [{ free: bytes.length }, { room: 5 * MIB }]) {
      Object.assign(disk, limit);
      await expect(row.compact(store, key)).rejects.toMatchObject({ reason: 'full' });
      expect(filesOf(row)).toHaveLength(THREE.length + 1);
      Object.assign(disk, { room: Infinity, free: Infinity });
      expect((await contentOf(store, key)).equals(bytes)).toBe(true);
    }
    await row.compact(store, key);
    expect((await contentOf(store, key)).equals(bytes)).toBe(true);
  });

  it('that finds the file there makes its name durable before it removes the first part', async () => {
    const { row, key, bytes } = await split(THREE);
    writeFileSync(path.join(root, key), bytes);
    steps.length = 0;
    await row.compact(store, key);
    expect(steps).toEqual([
      'sync',
      ...THREE.map(() => expect.stringMatching(/\d$/)),
      expect.stringMatching(/l$/),
      'sync',
    ]);
  });

  it('writes no faster than it may, and stops with its signal', async () => {
    const { row, key, bytes } = await split(THREE);
    const begun = performance.now();
    await expect(row.compact(store, key, { bytesPerSecond: MIB, signal: AbortSignal.timeout(500) })).rejects.toThrow();
    expect(filesOf(row)).toHaveLength(THREE.length + 1);
    await row.compact(store, key, { bytesPerSecond: 20 * MIB });
    expect(performance.now() - begun).toBeGreaterThan((bytes.length / (20 * MIB)) * 900);
  });

  it('beside another one that lost its lease ends in one object', async () => {
    const { row, key, bytes } = await split(THREE);
    const slow = row.compact(store, key, { bytesPerSecond: 20 * MIB }).catch(() => undefined);
    await row.compact(store, key);
    await slow;
    expect((await contentOf(store, key)).equals(bytes)).toBe(true);
    await store.abandon(row.claim(), null, key);
    expect(filesOf(row)).toHaveLength(1);
  });

  it('that is killed at any moment leaves the object whole, and the next one ends it', async () => {
    for (let round = 0; round < 12; round++) {
      const { row, key, bytes } = await split([3 * MIB, 3 * MIB, 3 * MIB]);
      const child = compactInAnotherProcess(row, key);
      await new Promise((resolve) => child.stdout?.once('data', resolve));
      const exited = new Promise((resolve) =>
        child.once('exit', (code, signal) => {
          resolve(signal ?? code);
        }),
      );
      setTimeout(() => child.kill('SIGKILL'), round * 3);
      expect([0, 'SIGKILL']).toContain(await exited);
      row.epoch += 1;
      expect(sha(await contentOf(store, key))).toBe(sha(bytes));
      expect(await store.stat(key)).toEqual({ size: bytes.length });
      await row.compact(store, key);
      expect(sha(await contentOf(store, key))).toBe(sha(bytes));
      await store.abandon(row.claim(), null, key);
      expect(filesOf(row)).toHaveLength(1);
    }
  }, 120_000);
});

function sha(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function compactInAnotherProcess(row: UploadRow, key: ObjectKey): ChildProcess {
  const module = path.resolve('dist/src/storage/filesystem/filesystem-store.js');
  const program = `
    const { FilesystemStore } = await import(${JSON.stringify(module)});
    const store = new FilesystemStore(${JSON.stringify(root)});
    process.stdout.write('begins');
    const target = { key: ${JSON.stringify(row.key)}, epoch: ${String(row.epoch + 1)} };
    await store.compaction.compact(target, ${JSON.stringify(key)}, {
      signal: new AbortController().signal, bytesPerSecond: 400 * 2 ** 20,
    });`;
  return spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
}
