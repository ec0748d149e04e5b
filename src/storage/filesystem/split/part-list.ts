import { readFile, rename } from 'node:fs/promises';
import { isSplitName, listKeyOf, type ObjectKey, parseObjectKey, uploadIdOf } from '../../object-keys.js';
import type { StoredObject } from '../../writer-state.js';
import type { BlobDirectories } from '../blob-directories.js';
import { errnoOf, storageErrorOf } from '../filesystem-errors.js';
import { writeFileOf } from '../segment-file.js';

/** The files that an object is made of, in this order. */
export type Parts = readonly StoredObject[];

/** Makes the object: from its new name on, the list is whole and durable. `unfinished` is a name of the caller's own. */
export async function writeParts(
  directories: BlobDirectories,
  { key, unfinished, parts }: { key: ObjectKey; unfinished: ObjectKey; parts: Parts },
): Promise<void> {
  const list = listKeyOf(key);
  const text = JSON.stringify(parts.map(({ key: part, size }) => [part, size]));
  await writeFileOf(directories.pathOf(unfinished), once(Buffer.from(text)), 'w');
  await rename(directories.pathOf(unfinished), directories.pathOf(list));
  await directories.syncFolderOf(list);
}

/**
 * `null` when the key has no list: the object is one file, or absent. `damaged` when the list does not say what it was
 * written with: another read does not help, so it is no failure of the store.
 */
export async function readParts(directories: BlobDirectories, key: ObjectKey): Promise<Parts | 'damaged' | null> {
  if (!isSplitName(key)) return null;
  try {
    return partsIn(await readFile(directories.pathOf(listKeyOf(key)), 'utf8'), key);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw storageErrorOf(error);
  }
}

export function sizeOf(parts: Parts): number {
  return parts.reduce((sum, { size }) => sum + size, 0);
}

/** The list is a file like any other: what it names must be the object's own. */
function partsIn(text: string, key: ObjectKey): Parts | 'damaged' {
  try {
    const rows = JSON.parse(text) as [string, number][];
    const parts = rows.map(([name, size]) => {
      const part = parseObjectKey(name);
      if (uploadIdOf(part) !== uploadIdOf(key) || !Number.isSafeInteger(size) || size < 0) throw new TypeError(name);
      return { key: part, size };
    });
    return parts.length > 0 ? parts : 'damaged';
  } catch {
    return 'damaged';
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}
