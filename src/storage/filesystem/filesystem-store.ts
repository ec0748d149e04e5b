import { open, rename, rm, stat, statfs, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { StartupError } from '../../config/startup-error.js';
import {
  BlobStore,
  type AppendOptions,
  type Appended,
  type Completed,
  type ObjectStat,
  type ReadOptions,
  type StoreSpace,
  type WriteTarget,
} from '../blob-store.js';
import type { FilesystemState, StoredObject, WriterState } from '../writer-state.js';
import { bodyChunks, destroyOnAbort } from '../body-reader.js';
import { epochKey, type KeyRole, type ObjectKey, WRITE_CHECK_NAME } from '../object-keys.js';
import { ObjectNotFound, ObjectSizeDiffers, StoreUnavailable, UploadLost } from '../storage-errors.js';
import { BlobDirectories } from './blob-directories.js';
import { FileInventory } from './file-inventory.js';
import { errnoOf, storageErrorOf } from './filesystem-errors.js';
import { writeFileOf } from './segment-file.js';
import { writeWholeFile } from './whole-file.js';

const READ_BYTES = 512 * 1024;
const UNLINKS_AT_ONCE = 64;
const WRITE_CHECK_BYTES = 4096;
/** With less, whichever of the two is less, a file system counts as full: a few bytes still find a place where no layer does. */
const LEAST_FREE_BYTES = 64 * 2 ** 20;
const LEAST_FREE_SHARE = 0.01;
const ROLES: readonly KeyRole[] = ['bytes', 'whole', 'unfinished'];

/**
 * Objects as files. Every epoch writes one segment under a name of its own, and that name is already the final one:
 * a blob that came in one request is committed by its row alone.
 */
export class FilesystemStore extends BlobStore {
  readonly driver = 'filesystem';
  readonly direct = null;
  readonly inventory: FileInventory;
  readonly #directories: BlobDirectories;

  constructor(root: string) {
    super();
    this.#directories = new BlobDirectories(root);
    this.inventory = new FileInventory(root, () => this.#directories.syncRoot());
  }

  async prepare(): Promise<void> {
    try {
      await this.#directories.prepare();
    } catch (error) {
      const reason = errnoOf(error) ?? String(error);
      throw new StartupError(
        `blobs cannot be kept in ${this.#directories.root} (${reason}): make it a directory that this user can write, or set DATA_DIR`,
        { cause: error },
      );
    }
  }

  async check(): Promise<void> {
    await stat(this.#directories.root).catch(rethrow);
  }

  async checkWrite(): Promise<void> {
    const file = join(this.#directories.root, WRITE_CHECK_NAME);
    try {
      await writeFile(file, Buffer.alloc(WRITE_CHECK_BYTES), { flush: true });
    } catch (error) {
      throw storageErrorOf(error);
    } finally {
      await rm(file, { force: true }).catch(() => undefined);
    }
    const { freeBytes, sizeBytes } = await this.space();
    if (freeBytes < Math.min(LEAST_FREE_BYTES, sizeBytes * LEAST_FREE_SHARE))
      throw new StoreUnavailable('full', `the file system of the blobs has ${String(freeBytes)} bytes left`);
  }

  async space(): Promise<StoreSpace> {
    const { bavail, blocks, bsize } = await statfs(this.#directories.root).catch(rethrow);
    return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
  }

  async stat(key: ObjectKey): Promise<ObjectStat | null> {
    try {
      return { size: (await stat(this.#directories.pathOf(key))).size };
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw storageErrorOf(error);
    }
  }

  async open(key: ObjectKey, { range, signal, size: expected }: ReadOptions = {}): Promise<Readable> {
    try {
      const handle = await open(this.#directories.pathOf(key), 'r');
      const { size } = await handle.stat().catch(async (error: unknown) => {
        await handle.close();
        throw error;
      });
      if (expected !== undefined && size !== expected) {
        await handle.close();
        throw new ObjectSizeDiffers(key, expected);
      }
      const start = range?.first ?? 0;
      const end = Math.min(range?.last ?? size - 1, size - 1);
      if (end < start) {
        await handle.close();
        return Readable.from([]);
      }
      const highWaterMark = Math.min(READ_BYTES, end - start + 1);
      return destroyOnAbort(handle.createReadStream({ start, end, highWaterMark }), signal);
    } catch (error) {
      throw errnoOf(error) === 'ENOENT' ? new ObjectNotFound(key) : storageErrorOf(error);
    }
  }

  signedUrl(): Promise<null> {
    return Promise.resolve(null);
  }

  async put(target: WriteTarget, bytes: Uint8Array): Promise<ObjectKey> {
    const key = epochKey(target.key, target.epoch);
    await this.#write(key, bytes).catch(rethrow);
    return key;
  }

  async delete(keys: readonly ObjectKey[]): Promise<void> {
    const touched = new Map<string, ObjectKey>();
    for (let from = 0; from < keys.length; from += UNLINKS_AT_ONCE) {
      const batch = keys.slice(from, from + UNLINKS_AT_ONCE);
      const removed = await Promise.all(batch.map((key) => this.#unlink(key)));
      batch.filter((_, index) => removed[index]).forEach((key) => touched.set(key.slice(0, 2), key));
    }
    // A name that came back after a crash would be garbage that no row names.
    await Promise.all([...touched.values()].map((key) => this.#directories.syncFolderOf(key).catch(rethrow)));
  }

  async append(
    target: WriteTarget,
    state: WriterState | null,
    body: AsyncIterable<Uint8Array>,
    options: AppendOptions,
  ): Promise<Appended> {
    const segments = segmentsOf(state);
    if (sizeOf(segments) !== options.offset) throw new Error('the state does not hold the bytes before the offset');
    const key = epochKey(target.key, target.epoch);
    const bytes = await writeFileOf(this.#directories.pathOf(key), bodyChunks(body, options)).catch(rethrow);
    if (bytes === 0) return { state, bytes, created: [], obsolete: [] };
    await this.#directories.syncFolderOf(key).catch(rethrow);
    const next: FilesystemState = { driver: 'filesystem', segments: [...segments, { key, size: bytes }] };
    return { state: next, bytes, created: [key], obsolete: [] };
  }

  async complete(target: WriteTarget, state: WriterState | null): Promise<Completed> {
    const segments = segmentsOf(state);
    const [first, ...more] = segments;
    if (!first) return { key: await this.#empty(target), obsolete: [] };
    if (more.length === 0) return { key: first.key, obsolete: [] };
    return { key: await this.#concatenated(target, segments), obsolete: segments.map(({ key }) => key) };
  }

  async abandon(target: WriteTarget, state: WriterState | null, keep?: ObjectKey): Promise<void> {
    const keys = new Set(segmentsOf(state).map(({ key }) => key));
    for (let epoch = 0; epoch <= target.epoch; epoch += 1)
      ROLES.forEach((role) => keys.add(epochKey(target.key, epoch, role)));
    if (keep) keys.delete(keep);
    await this.delete([...keys]);
  }

  async close(): Promise<void> {
    await this.#directories.close();
  }

  #write(key: ObjectKey, bytes: Uint8Array): Promise<void> {
    return writeWholeFile(this.#directories.pathOf(key), bytes, () => this.#directories.syncFolderOf(key));
  }

  /** Named by epoch 0, which no writer has, so that a repeated completion makes no second one. */
  async #empty(target: WriteTarget): Promise<ObjectKey> {
    const key = epochKey(target.key, 0, 'whole');
    try {
      await this.#write(key, new Uint8Array());
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw storageErrorOf(error);
      // The one who made it may have died before the name was durable.
      await this.#directories.syncFolderOf(key).catch(rethrow);
    }
    return key;
  }

  /** Named by the last segment, so that whoever repeats it finds it; it has its name only once it is whole. */
  async #concatenated(target: WriteTarget, segments: readonly StoredObject[]): Promise<ObjectKey> {
    const whole = wholeKey(segments);
    if ((await this.stat(whole))?.size === sizeOf(segments)) {
      // The one who renamed it may have died before the name was durable.
      await this.#directories.syncFolderOf(whole).catch(rethrow);
      return whole;
    }
    const unfinished = this.#directories.pathOf(epochKey(target.key, target.epoch, 'unfinished'));
    try {
      await writeFileOf(unfinished, this.#bytesOf(segments), 'w');
      await rename(unfinished, this.#directories.pathOf(whole));
      await this.#directories.syncFolderOf(whole);
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw error instanceof ObjectNotFound
        ? new UploadLost(`segment ${error.key} is gone`, { cause: error })
        : storageErrorOf(error);
    }
    return whole;
  }

  async *#bytesOf(segments: readonly StoredObject[]): AsyncGenerator<Uint8Array, void, undefined> {
    for (const { key, size } of segments) {
      let read = 0;
      for await (const chunk of await this.open(key)) {
        read += (chunk as Uint8Array).length;
        yield chunk as Uint8Array;
      }
      if (read !== size) throw new UploadLost(`segment ${key} has ${String(read)} of ${String(size)} bytes`);
    }
  }

  async #unlink(key: ObjectKey): Promise<boolean> {
    try {
      await unlink(this.#directories.pathOf(key));
      return true;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw storageErrorOf(error);
    }
  }
}

function rethrow(error: unknown): never {
  throw storageErrorOf(error);
}

function segmentsOf(state: WriterState | null): readonly StoredObject[] {
  if (state === null) return [];
  if (state.driver !== 'filesystem') throw new UploadLost('the upload was begun in another kind of store');
  return state.segments;
}

function sizeOf(objects: readonly StoredObject[]): number {
  return objects.reduce((sum, { size }) => sum + size, 0);
}

function wholeKey(segments: readonly StoredObject[]): ObjectKey {
  const last = segments[segments.length - 1];
  if (!last) throw new Error('no segment, no whole');
  return `${last.key}w` as ObjectKey;
}
