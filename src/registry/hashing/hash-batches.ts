import { releaseMemory } from '../../fairness/release-memory.js';

/** Bytes that travel to a worker at once; a message costs more than hashing a few KiB. */
export const BATCH_BYTES = 256 * 1024;
/** Kept for the next ones; what is more goes back at once. */
const MAX_IDLE = 16;

/** Buffers that travel to the hash workers and back, and are reused. */
export class HashBatches {
  private readonly idle: Uint8Array<ArrayBuffer>[] = [];

  take(): Uint8Array<ArrayBuffer> {
    return this.idle.pop() ?? new Uint8Array(BATCH_BYTES);
  }

  give(batch: Uint8Array<ArrayBuffer>): void {
    if (this.idle.length < MAX_IDLE) this.idle.push(batch);
    else releaseMemory(batch);
  }
}
