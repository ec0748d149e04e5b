import type { Readable } from 'node:stream';
import { StoreUnavailable } from '../storage-errors.js';

const STALL_MS = 30_000;

/**
 * Ends a read with `StoreUnavailable` when the store sends nothing although the reader waits. A reader that waits has
 * emptied the stream's buffer; a slow one leaves it full, and may be as slow as it likes.
 */
export function destroyOnStall(stream: Readable, stallMs = STALL_MS): Readable {
  let silentTicks = 0;
  let received = -1;
  const timer = setInterval(() => {
    const { socket } = stream as Readable & { socket?: { bytesRead: number } | null };
    const now = socket?.bytesRead ?? 0;
    silentTicks = now === received && stream.readableLength === 0 ? silentTicks + 1 : 0;
    received = now;
    if (silentTicks >= 2) stream.destroy(new StoreUnavailable('timeout', 'the object store stopped in the middle'));
  }, stallMs / 2);
  timer.unref();
  stream.once('close', () => {
    clearInterval(timer);
  });
  return stream;
}
