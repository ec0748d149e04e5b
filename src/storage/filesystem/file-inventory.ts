import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobInventory, type ListedMultipart, type ListedObject, PAGE_SIZE } from '../blob-inventory.js';
import { isObjectName, listKeyOf, type ObjectKey, OWNER_NAME, wholeKeyOfList } from '../object-keys.js';
import { StoreUnavailable } from '../storage-errors.js';
import { type BlobDirectories, FOLDERS } from './blob-directories.js';
import { errnoOf, storageErrorOf } from './filesystem-errors.js';
import { readParts, sizeOf } from './split/part-list.js';
import { writeWholeFile } from './whole-file.js';

const STATS_AT_ONCE = 32;

/** What the directory of blobs holds, folder by folder. */
export class FileInventory implements BlobInventory {
  constructor(
    private readonly root: string,
    private readonly directories: BlobDirectories,
  ) {}

  async *objects(): AsyncGenerator<readonly ListedObject[], void, undefined> {
    for (const folder of FOLDERS) {
      const names = (await readdir(join(this.root, folder)).catch(rethrow)).map((name) => `${folder}/${name}`);
      const keys = await this.#objectsOf(names.filter(isObjectName)).catch(rethrow);
      for (let from = 0; from < keys.length; from += PAGE_SIZE) yield this.#listed(keys.slice(from, from + PAGE_SIZE));
    }
  }

  // Segments are objects already.
  // eslint-disable-next-line @typescript-eslint/require-await
  async *multiparts(): AsyncGenerator<readonly ListedMultipart[], void, undefined> {
    yield [];
  }

  abort(): Promise<void> {
    return Promise.resolve();
  }

  async owner(): Promise<string | null> {
    try {
      return (await readFile(join(this.root, OWNER_NAME), 'utf8')).trim() || null;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw storageErrorOf(error);
    }
  }

  async claim(installation: string): Promise<string> {
    const own = join(this.root, `.${OWNER_NAME}-${randomUUID()}`);
    try {
      await writeWholeFile(own, Buffer.from(`${installation}\n`), () => this.directories.syncRoot());
      // The name is there with all of its bytes, or not at all, and never twice.
      await link(own, join(this.root, OWNER_NAME)).catch((error: unknown) => {
        if (errnoOf(error) !== 'EEXIST') throw error;
      });
      await rm(own);
      await this.directories.syncRoot();
    } catch (error) {
      throw storageErrorOf(error);
    }
    const owner = await this.owner();
    if (owner === null) throw new StoreUnavailable('io', 'the blob directory does not have what it was given');
    return owner;
  }

  /** An object of several files is one object, under its key: what its list names is no other one's to remove. */
  async #objectsOf(names: readonly ObjectKey[]): Promise<ObjectKey[]> {
    const keys = new Set(names);
    for (const name of names) {
      const whole = wholeKeyOfList(name);
      // Where the file is there already, the list and its parts are only left over.
      const parts = whole && !keys.has(whole) ? await readParts(this.directories, whole) : null;
      if (!whole || !parts) continue;
      // Files that a damaged list named are listed one by one: the upload's row keeps them.
      if (parts !== 'damaged') for (const { key } of parts) keys.delete(key);
      keys.delete(name);
      keys.add(whole);
    }
    return [...keys];
  }

  async #listed(keys: readonly ObjectKey[]): Promise<ListedObject[]> {
    const listed: ListedObject[] = [];
    for (let from = 0; from < keys.length; from += STATS_AT_ONCE) {
      const some = await Promise.all(keys.slice(from, from + STATS_AT_ONCE).map((key) => this.#stat(key)));
      listed.push(...some.filter((object) => object !== null));
    }
    return listed;
  }

  async #stat(key: ObjectKey): Promise<ListedObject | null> {
    const file = await this.#statFile(key);
    if (file) return { key, ...file };
    const parts = await readParts(this.directories, key);
    const list = parts && (await this.#statFile(listKeyOf(key)));
    return parts && list && { key, size: parts === 'damaged' ? 0 : sizeOf(parts), modifiedAt: list.modifiedAt };
  }

  async #statFile(key: ObjectKey): Promise<Omit<ListedObject, 'key'> | null> {
    try {
      const { size, mtime } = await stat(join(this.root, key));
      return { size, modifiedAt: mtime };
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw storageErrorOf(error);
    }
  }
}

function rethrow(error: unknown): never {
  throw storageErrorOf(error);
}
