import { closeSync, constants, fdatasync, open, write } from 'node:fs';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';

const PRIVATE_FILE = 0o600;
// A write returns once its bytes are on the disk. Each trip to libuv's pool costs more than what it does for a small
// file, so there are three: this one needs no sync of its own, and a close that has nothing left to write needs none.
const NEW_AND_SYNCED = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_DSYNC;

const openFile = promisify(open);
const writeTo = promisify(write);
const syncFile = promisify(fdatasync);

/** Elsewhere (macOS) `O_DSYNC` may leave the bytes in the disk's own cache, and only a sync of the file does not. */
const IS_WRITE_ENOUGH = process.platform === 'linux';

/**
 * A file of bytes that are in memory, durable on return; `syncName` makes its name so, while the bytes are written.
 * A file that was not finished is removed.
 */
export async function writeWholeFile(path: string, bytes: Uint8Array, syncName: () => Promise<void>): Promise<void> {
  const file = await openFile(path, NEW_AND_SYNCED, PRIVATE_FILE);
  const naming = syncName();
  try {
    await settled(naming, writeAndClose(file, bytes));
  } catch (error) {
    // The first failure is the one to tell; what cannot be removed now is found by `abandon`.
    await rm(path, { force: true }).catch(() => undefined);
    throw error;
  }
}

async function writeAndClose(file: number, bytes: Uint8Array): Promise<void> {
  try {
    // A write may be short (a disk that fills up, a signal); the rest is tried again and then gives the reason.
    for (let written = 0; written < bytes.length;) {
      const { bytesWritten } = await writeTo(file, bytes, written, bytes.length - written, null);
      written += bytesWritten;
    }
    if (!IS_WRITE_ENOUGH) await syncFile(file);
  } finally {
    closeSync(file);
  }
}

/** Waits for both, whichever fails: nothing goes on after the file is given up. */
async function settled(...work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
