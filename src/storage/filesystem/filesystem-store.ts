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
  type Compaction,
} from '../blob-store.js';
import type { FilesystemState, StoredObject, WriterState } from '../writer-state.js';
import { bodyChunks, destroyOnAbort } from '../body-reader.js';
import { epochKey, isSplitName, type KeyRole, type ObjectKey, WRITE_CHECK_NAME } from '../object-keys.js';
import { ObjectNotFound, ObjectSizeDiffers, StoreUnavailable, TooManyChunks, UploadLost } from '../storage-errors.js';
import { BlobDirectories } from './blob-directories.js';
import { FileInventory } from './file-inventory.js';
import { errnoOf, storageErrorOf } from './filesystem-errors.js';
import { writeFileOf } from './segment-file.js';
import { sizeOf } from './split/part-list.js';
import { SplitObjects } from './split/split-objects.js';
import { writeWholeFile } from './whole-file.js';

const READ_BYTES = 512 * 1024;
const UNLINKS_AT_ONCE = 64;
const WRITE_CHECK_BYTES = 4096;
/** With less, whichever of the two is less, a file system counts as full: a few bytes still find a place where no layer does. */
const LEAST_FREE_BYTES = 64 * 2 ** 20;
const LEAST_FREE_SHARE = 0.01;
const ROLES: readonly KeyRole[] = ['bytes', 'whole', 'unfinished', 'list'];
/** Up to so many bytes are copied into one file at the completion: that takes no longer than to do it later. */
export const JOIN_BYTES = 8 * 1024 * 1024;
/** Segments of one upload: its row names each, and is written anew with each. */
export const MAX_CHUNKS = 16_384;

/**
 * Objects as files. Every epoch writes one segment under a name of its own, and that name is already the final one:
 * a blob that came in one request is committed by its row alone. One that came in several stays in their segments
 * until a compaction joins them (`SplitObjects`).
 */
export class FilesystemStore extends BlobStore {
  readonly driver = 'filesystem';
  readonly direct = null;
  readonly inventory: FileInventory;
  readonly compaction: Compaction;
  readonly #directories: BlobDirectories;
  readonly #split: SplitObjects;

  constructor(root: string) {
    super();
    this.#directories = new BlobDirectories(root);
    this.#split = this.compaction = new SplitObjects(this.#directories);
    this.inventory = new FileInventory(root, this.#directories);
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
    const file = (): Promise<ObjectStat | null> => this.#orNull(async () => this.#statFile(key));
    const found = await file();
    if (found || !isSplitName(key)) return found;
    const size = await this.#split.size(key).catch(rethrow);
    // A compaction may have put the file there meanwhile, and taken the parts.
    return (await file()) ?? (size === null ? null : { size });
  }

  async open(key: ObjectKey, options: ReadOptions = {}): Promise<Readable> {
    const file = (): Promise<Readable | null> => this.#orNull(() => this.#openFile(key, options));
    const bytes = await file();
    if (bytes) return bytes;
    if (!isSplitName(key)) throw new ObjectNotFound(key);
    // A compaction may put the file there meanwhile, and take the list.
    const joined = (await this.#orNull(() => this.#split.open(key, options))) ?? (await file());
    if (!joined) throw new ObjectNotFound(key);
    return joined;
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
    for (const key of keys) if (isSplitName(key)) await this.#remove(await this.#split.names(key));
    await this.#remove(keys);
  }

  async #remove(keys: readonly ObjectKey[]): Promise<void> {
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
    if (segments.length >= MAX_CHUNKS) throw new TooManyChunks(MAX_CHUNKS);
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
    if (!first) return { key: await this.#empty(target), isSplit: false, obsolete: [] };
    if (more.length === 0) return { key: first.key, isSplit: false, obsolete: [] };
    const key = wholeKey(segments);
    const bytes = sizeOf(segments);
    const obsolete = segments.map((segment) => segment.key);
    if (await this.#isWhole(key, bytes)) return { key, isSplit: false, obsolete };
    if (bytes > JOIN_BYTES) {
      await this.#split.create(target, key, segments);
      return { key, isSplit: true, obsolete: [] };
    }
    await this.#concatenate(target, key, segments);
    return { key, isSplit: false, obsolete };
  }

  async abandon(target: WriteTarget, state: WriterState | null, keep?: ObjectKey): Promise<void> {
    const keys = new Set(segmentsOf(state).map(({ key }) => key));
    for (let epoch = 0; epoch <= target.epoch; epoch += 1)
      ROLES.forEach((role) => keys.add(epochKey(target.key, epoch, role)));
    for (const name of keep ? await this.#kept(keep) : []) keys.delete(name);
    await this.#remove([...keys]);
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

  /** All names that the object needs. */
  async #kept(key: ObjectKey): Promise<ObjectKey[]> {
    if (!isSplitName(key) || (await this.#orNull(() => this.#statFile(key)))) return [key];
    return [key, ...(await this.#split.names(key))];
  }

  /** Whether it has been joined before, by a completion or a compaction that may have died before its name was durable. */
  async #isWhole(key: ObjectKey, bytes: number): Promise<boolean> {
    if ((await this.#orNull(() => this.#statFile(key)))?.size !== bytes) return false;
    await this.#directories.syncFolderOf(key).catch(rethrow);
    return true;
  }

  /** Named by the last segment, so that a repeated call finds it; it has its name only once it is whole. */
  async #concatenate(target: WriteTarget, whole: ObjectKey, segments: readonly StoredObject[]): Promise<void> {
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

  async #statFile(key: ObjectKey): Promise<ObjectStat> {
    return { size: (await stat(this.#directories.pathOf(key))).size };
  }

  async #openFile(key: ObjectKey, { range, signal, size: expected }: ReadOptions): Promise<Readable> {
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
  }

  async #orNull<T>(call: () => Promise<T>): Promise<T | null> {
    try {
      return await call();
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw storageErrorOf(error);
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

function wholeKey(segments: readonly StoredObject[]): ObjectKey {
  const last = segments[segments.length - 1];
  if (!last) throw new Error('no segment, no whole');
  return `${last.key}w` as ObjectKey;
}
