import { rename, rm, stat, statfs } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadOptions, WriteTarget, Compaction, CompactionOptions } from '../../blob-store.js';
import { destroyOnAbort } from '../../body-reader.js';
import { epochKey, epochOf, listKeyOf, type ObjectKey } from '../../object-keys.js';
import { releaseMemory } from '../../../fairness/release-memory.js';
import { ObjectSizeDiffers, StoreUnavailable, UploadLost } from '../../storage-errors.js';
import type { BlobDirectories } from '../blob-directories.js';
import { errnoOf, storageErrorOf } from '../filesystem-errors.js';
import { writeFileOf } from '../segment-file.js';
import { type Parts, readParts, sizeOf, writeParts } from './part-list.js';
import { readPartFiles } from './part-reader.js';

const STATS_AT_ONCE = 32;
/** Unfinished files of so many attempts before this one are looked for; the upload's end removes those of all. */
const PAST_ATTEMPTS = 8;
/** What a compaction leaves free: pushes need the disk more than it does. */
const SPARE_BYTES = 512 * 1024 * 1024;

/**
 * Objects of several files: a list under `….<epoch>l` names the segments that an upload was written to, and the object's
 * key is that of the file that a compaction makes of them. While that file is there it is the object, and the list and
 * its parts are on their way out.
 */
export class SplitObjects implements Compaction {
  constructor(private readonly directories: BlobDirectories) {}

  /** Constant but for one look at each part. Repeated it makes the same list. */
  async create(target: WriteTarget, key: ObjectKey, parts: Parts): Promise<void> {
    const sizes = await this.sizes(parts);
    const lost = parts.find((part, index) => sizes[index] !== part.size);
    if (lost) throw new UploadLost(`segment ${lost.key} does not have its ${String(lost.size)} bytes`);
    const unfinished = epochKey(target.key, target.epoch, 'unfinished');
    try {
      await writeParts(this.directories, { key, unfinished, parts });
    } catch (error) {
      await rm(this.directories.pathOf(unfinished), { force: true }).catch(() => undefined);
      throw storageErrorOf(error);
    }
  }

  /** Of the files that are there; `null` without a list. */
  async size(key: ObjectKey): Promise<number | null> {
    const parts = await readParts(this.directories, key);
    if (!parts) return null;
    if (parts === 'damaged') return 0;
    const sizes = await this.sizes(parts);
    return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  }

  /** `null` without a list. Throws the system's error where a file is missing. */
  async open(key: ObjectKey, { range, signal, size }: ReadOptions): Promise<Readable | null> {
    const parts = await readParts(this.directories, key);
    if (!parts) return null;
    if (parts === 'damaged') return this.refuseSize(key, size ?? null);
    if (size !== undefined && (await this.size(key)) !== size) return this.refuseSize(key, size);
    const files = parts.map((part) => ({ path: this.directories.pathOf(part.key), size: part.size }));
    const all = { first: 0, last: sizeOf(parts) - 1 };
    return destroyOnAbort(await readPartFiles(files, this.directories.pathOf(key), range ?? all), signal);
  }

  /** A compaction that takes the parts meanwhile has put the file there: then it is for the caller to look again. */
  private async refuseSize(key: ObjectKey, size: number | null): Promise<null> {
    const found = await this.sizeOf(key);
    if (found !== null && (size === null || found === size)) return null;
    throw new ObjectSizeDiffers(key, size);
  }

  /** All names of the object but its own, as far as the list says, the list last: a repeated delete finds the parts by it. */
  async names(key: ObjectKey): Promise<ObjectKey[]> {
    const parts = await readParts(this.directories, key);
    if (!parts) return [];
    // The parts that a damaged list named are for the upload's row to remove.
    return parts === 'damaged' ? [listKeyOf(key)] : [...parts.map((part) => part.key), listKeyOf(key)];
  }

  async compact(target: WriteTarget, key: ObjectKey, options: CompactionOptions): Promise<void> {
    const parts = (await readParts(this.directories, key)) ?? 'lost';
    try {
      const found = await this.sizeOf(key);
      const isListed = parts !== 'lost' && parts !== 'damaged';
      // The file has its name only when it is whole. Its parts, which nothing names any more, go with the upload's row.
      if (!isListed && found === null) throw new ObjectSizeDiffers(key, null);
      if (parts === 'lost') return; // an earlier attempt has done it
      const rest = isListed ? parts : [];
      if (isListed && found !== sizeOf(parts)) await this.join(target, key, parts, options);
      // Also where an earlier attempt died before its name was durable: until then the parts are all there is.
      await this.directories.syncFolderOf(key);
      // From here on readers find the file; those that have the list go on in it.
      for (const part of rest) await rm(this.directories.pathOf(part.key), { force: true });
      await rm(this.directories.pathOf(listKeyOf(key)), { force: true });
      await this.directories.syncFolderOf(key);
    } catch (error) {
      throw storageErrorOf(error);
    }
  }

  private async join(target: WriteTarget, key: ObjectKey, parts: Parts, options: CompactionOptions): Promise<void> {
    const { directories } = this;
    const bytes = sizeOf(parts);
    const sizes = await this.sizes(parts);
    if (parts.some((part, index) => sizes[index] !== part.size)) throw new ObjectSizeDiffers(key, bytes);
    // What an earlier attempt left, whose process is gone or has lost its lease: it cannot rename what has no name.
    for (let epoch = Math.max(epochOf(key), target.epoch - PAST_ATTEMPTS); epoch < target.epoch; epoch += 1)
      await rm(directories.pathOf(epochKey(target.key, epoch, 'unfinished')), { force: true });
    const { bavail, bsize } = await statfs(directories.root);
    if (bavail * bsize < bytes + SPARE_BYTES)
      throw new StoreUnavailable('full', `no room to join the ${String(parts.length)} files of ${key}`);
    const unfinished = directories.pathOf(epochKey(target.key, target.epoch, 'unfinished'));
    const files = parts.map((part) => ({ path: directories.pathOf(part.key), size: part.size }));
    const source = await readPartFiles(files, directories.pathOf(key), { first: 0, last: bytes - 1 });
    try {
      await writeFileOf(unfinished, paced(source, options), 'w');
      await rename(unfinished, directories.pathOf(key));
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw error;
    } finally {
      source.destroy();
    }
  }

  private async sizes(parts: Parts): Promise<(number | null)[]> {
    const sizes: (number | null)[] = [];
    for (let from = 0; from < parts.length; from += STATS_AT_ONCE)
      sizes.push(...(await Promise.all(parts.slice(from, from + STATS_AT_ONCE).map(({ key }) => this.sizeOf(key)))));
    return sizes;
  }

  private async sizeOf(key: ObjectKey): Promise<number | null> {
    try {
      return (await stat(this.directories.pathOf(key))).size;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw storageErrorOf(error);
    }
  }
}

/** Chunks of a file, not faster than they may come. */
async function* paced(
  source: Readable,
  { signal, bytesPerSecond }: CompactionOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const begun = performance.now();
  let bytes = 0;
  for await (const chunk of source) {
    signal.throwIfAborted();
    bytes += (chunk as Uint8Array).length;
    yield chunk as Uint8Array;
    releaseMemory(chunk as Uint8Array);
    const early = (bytes / bytesPerSecond) * 1000 - (performance.now() - begun);
    if (early > 1) await sleep(early, undefined, { signal });
  }
}
