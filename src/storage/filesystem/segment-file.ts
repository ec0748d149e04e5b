import { open, rm, type FileHandle } from 'node:fs/promises';

const PRIVATE_FILE = 0o600;
/** Written at once: small enough for memory, large enough that the calls do not count. */
const BATCH_BYTES = 1024 * 1024;
/** Handed to the disk while more arrives, or the last sync would find all of a large blob still in memory. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;

/**
 * A file of these bytes, its content synced; its name is not (see `BlobDirectories`). Made at the first byte: an empty
 * source makes none. One write runs while the next batch is read. A file that was not finished is removed.
 */
export async function writeFileOf(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  flags: 'wx' | 'w' = 'wx',
): Promise<number> {
  let file: SegmentFile | null = null;
  try {
    for await (const chunk of chunks) {
      file ??= new SegmentFile(await open(path, flags, PRIVATE_FILE));
      await file.add(chunk);
    }
    return file ? await file.finish() : 0;
  } catch (error) {
    if (file) await discard(file, path);
    throw error;
  }
}

/** As `writeFileOf`, of bytes that are in memory; also of none. */
export async function writeFileWith(path: string, bytes: Uint8Array): Promise<void> {
  const file = new SegmentFile(await open(path, 'wx', PRIVATE_FILE));
  try {
    await file.add(bytes);
    await file.finish();
  } catch (error) {
    await discard(file, path);
    throw error;
  }
}

async function discard(file: SegmentFile, path: string): Promise<void> {
  // The first failure is the one to tell; what cannot be removed now is found by `abandon`.
  await file.drop().catch(() => undefined);
  await rm(path, { force: true }).catch(() => undefined);
}

class SegmentFile {
  readonly #handle: FileHandle;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #bytes = 0;
  #unsyncedBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async add(chunk: Uint8Array): Promise<void> {
    this.#batch.push(chunk);
    this.#batchBytes += chunk.length;
    if (this.#batchBytes >= BATCH_BYTES) await this.#flush();
  }

  async finish(): Promise<number> {
    await this.#flush();
    await this.#writing;
    await this.#syncing;
    await this.#handle.datasync(); // the size is part of what fdatasync keeps; times are not needed
    await this.#handle.close();
    return this.#bytes;
  }

  async drop(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#syncing]);
    await this.#handle.close();
  }

  async #flush(): Promise<void> {
    await this.#writing;
    if (this.#batchBytes === 0) return;
    const batch = this.#batch;
    this.#bytes += this.#batchBytes;
    this.#unsyncedBytes += this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#writing = quiet(writeFully(this.#handle, batch));
    if (this.#unsyncedBytes < SYNC_EVERY_BYTES) return;
    await this.#syncing;
    this.#unsyncedBytes = 0;
    this.#syncing = quiet(this.#handle.datasync());
  }
}

/** A failure is told when the promise is awaited, later; until then it must not end the process. */
function quiet(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}

/** A write may be short (a disk that fills up, a signal); the rest is tried again and then gives the reason. */
async function writeFully(handle: FileHandle, batch: Uint8Array[]): Promise<void> {
  let rest = batch;
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest);
    rest = without(rest, bytesWritten);
  }
}

function without(batch: Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  const rest: Uint8Array[] = [];
  for (const chunk of batch) {
    if (skip < chunk.length) rest.push(skip === 0 ? chunk : chunk.subarray(skip));
    skip = Math.max(0, skip - chunk.length);
  }
  return rest;
}
