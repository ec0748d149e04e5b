import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ByteRange } from '../../blob-store.js';
import { StoreUnavailable } from '../../storage-errors.js';
import { errnoOf } from '../filesystem-errors.js';

const READ_BYTES = 512 * 1024;

export interface PartFile {
  readonly path: string;
  readonly size: number;
}

/**
 * The bytes of the range, from one open file at a time. A compaction may put one file in the place of the parts between
 * two of them: then the rest comes from `whole`. Throws the system's error before the first byte where a file is missing.
 */
export async function readPartFiles(
  parts: readonly PartFile[],
  whole: string,
  { first, last }: ByteRange,
): Promise<Readable> {
  const bytes = bytesOf(parts, whole, first, last);
  // The first chunk is read before the stream is given, so that an absent object is told before the first byte.
  let begun: IteratorResult<Buffer, void> | null = await bytes.next();
  const iterator: AsyncIterableIterator<Buffer, void, undefined> = {
    next: () => {
      const result = begun;
      begun = null;
      return result ? Promise.resolve(result) : bytes.next();
    },
    return: () => bytes.return(),
    [Symbol.asyncIterator]: () => iterator,
  };
  return Readable.from(iterator, { objectMode: false, highWaterMark: READ_BYTES });
}

async function* bytesOf(
  parts: readonly PartFile[],
  whole: string,
  first: number,
  last: number,
): AsyncGenerator<Buffer, void, undefined> {
  let start = 0;
  for (const { path, size } of parts) {
    const [from, to] = [Math.max(first - start, 0), Math.min(last - start, size - 1)];
    if (from <= to) {
      const file = await openOrNull(path);
      if (!file) {
        yield* fileBytes(await open(whole, 'r'), start + from, last);
        return;
      }
      yield* fileBytes(file, from, to);
    }
    start += size;
    if (start > last) return;
  }
}

async function openOrNull(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

async function* fileBytes(file: FileHandle, from: number, to: number): AsyncGenerator<Buffer, void, undefined> {
  try {
    for (let at = from; at <= to;) {
      // Memory of its own for each chunk: who gets it gives it back.
      const chunk = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, to - at + 1));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
      // What follows must not move up into the place of bytes that are missing.
      if (bytesRead === 0) throw new StoreUnavailable('io', 'a part of a blob is shorter than its list says');
      at += bytesRead;
      yield bytesRead === chunk.length ? chunk : chunk.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
