import { open, rm, type FileHandle } from 'node:fs/promises';
import { releaseMemory } from '../../fairness/release-memory.js';

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

async function discard(file: SegmentFile, path: string): Promise<void> {
  // The first failure is the one to tell; what cannot be removed now is found by `abandon`.
  await file.drop().catch(() => undefined);
  await rm(path, { force: true }).catch(() => undefined);
}

class SegmentFile {
  readonly #handle: FileHandle;
  /** Chunks are copied: their memory is the source's again as soon as it is asked for the next. */
  #batch: Buffer | null = null;
  #filled = 0;
  /** The batch that is being written, or that has been. */
  #other: Buffer | null = null;
  #bytes = 0;
  #unsyncedBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async add(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      this.#batch ??= Buffer.allocUnsafeSlow(BATCH_BYTES);
      const piece = chunk.subarray(at, at + BATCH_BYTES - this.#filled);
      this.#batch.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === BATCH_BYTES) await this.#flush();
    }
  }

  async finish(): Promise<number> {
    await this.#flush();
    await this.#writing;
    await this.#syncing;
    await this.#handle.datasync(); // the size is part of what fdatasync keeps; times are not needed
    await this.#handle.close();
    this.#release();
    return this.#bytes;
  }

  async drop(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#syncing]);
    this.#release();
    await this.#handle.close();
  }

  async #flush(): Promise<void> {
    await this.#writing;
    if (this.#batch === null || this.#filled === 0) return;
    const bytes = this.#batch.subarray(0, this.#filled);
    [this.#batch, this.#other] = [this.#other, this.#batch];
    this.#filled = 0;
    this.#bytes += bytes.length;
    this.#unsyncedBytes += bytes.length;
    this.#writing = quiet(writeFully(this.#handle, bytes));
    if (this.#unsyncedBytes < SYNC_EVERY_BYTES) return;
    await this.#syncing;
    this.#unsyncedBytes = 0;
    this.#syncing = quiet(this.#handle.datasync());
  }

  #release(): void {
    for (const batch of [this.#batch, this.#other]) if (batch) releaseMemory(batch);
    this.#batch = this.#other = null;
  }
}

/** A failure is told when the promise is awaited, later; until then it must not end the process. */
function quiet(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}

/** A write may be short (a disk that fills up, a signal); the rest is tried again and then gives the reason. */
async function writeFully(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, written);
    written += bytesWritten;
  }
}
