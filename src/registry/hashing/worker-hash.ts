import { type Algorithm, type Digest, digestFrom } from '../../oci/digest.js';
import { releaseMemory } from '../../fairness/release-memory.js';
import type { WorkerReply, WorkerRequest } from './hash-protocol.js';

/** Bytes that travel to a worker at once; a message costs more than hashing a few KiB. */
const BATCH_BYTES = 256 * 1024;
/** Kept for the next ones; what is more goes back at once. */
const MAX_IDLE = 16;
/** Batches that the worker may still have while the next is filled: more would only be memory. */
const MAX_IN_FLIGHT = 2;

export interface WorkerResult {
  readonly digest: Digest;
  /** What another request needs to go on; `null` of a native hash. */
  readonly state: Buffer | null;
}

/** The thread is gone, and with it the hash; the request can be made again. */
export class HashWorkerEnded extends Error {
  override readonly name = 'HashWorkerEnded';

  constructor() {
    super('the hash worker ended');
  }
}

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

/** One request's hash in a worker thread. Bytes are copied, since the store is writing the same chunk. */
export class WorkerHash {
  private batch: Uint8Array<ArrayBuffer> | null = null;
  private filled = 0;
  private inFlight = 0;
  private failure: Error | null = null;
  private waiting: PromiseWithResolvers<undefined> | null = null;
  private finished: PromiseWithResolvers<WorkerResult> | null = null;

  constructor(
    private readonly algorithm: Algorithm,
    private readonly id: number,
    private readonly send: (request: WorkerRequest, transfer?: ArrayBuffer[]) => void,
    private readonly ended: () => void,
    private readonly batches: HashBatches,
  ) {}

  /** Resolves when the worker has room for more; nothing to wait for is `undefined`. */
  update(chunk: Uint8Array): Promise<undefined> | undefined {
    if (this.failure) return Promise.reject(this.failure);
    for (let at = 0; at < chunk.length;) {
      this.batch ??= this.batches.take();
      const part = chunk.subarray(at, at + BATCH_BYTES - this.filled);
      this.batch.set(part, this.filled);
      this.filled += part.length;
      at += part.length;
      if (this.filled === BATCH_BYTES) this.flush();
    }
    return this.inFlight <= MAX_IN_FLIGHT ? undefined : this.room();
  }

  /** Of everything so far. */
  finish(): Promise<WorkerResult> {
    if (this.failure) return Promise.reject(this.failure);
    this.flush();
    this.finished = Promise.withResolvers<WorkerResult>();
    this.send({ op: 'finish', id: this.id });
    return this.finished.promise;
  }

  discard(): void {
    if (this.failure) return;
    this.send({ op: 'discard', id: this.id });
    this.fail(new Error('the hash was discarded'));
  }

  take(reply: WorkerReply): void {
    switch (reply.kind) {
      case 'updated':
        this.inFlight -= 1;
        this.waiting?.resolve(undefined);
        this.waiting = null;
        break;
      case 'finished':
        this.ended();
        this.finished?.resolve({
          state: reply.state && Buffer.from(reply.state),
          digest: digestFrom(this.algorithm, reply.hash),
        });
        break;
      case 'failed':
        this.fail(new Error(reply.message));
        break;
    }
  }

  fail(error: Error): void {
    this.failure ??= error;
    this.ended();
    if (this.batch) this.batches.give(this.batch);
    this.batch = null;
    this.waiting?.reject(error);
    this.finished?.reject(error);
  }

  private room(): Promise<undefined> {
    if (!this.waiting) {
      this.waiting = Promise.withResolvers<undefined>();
      // A transfer that has already failed elsewhere waits for nothing any more.
      this.waiting.promise.catch(() => undefined);
    }
    return this.waiting.promise;
  }

  private flush(): void {
    if (!this.batch || this.filled === 0) return;
    const { batch, filled } = this;
    [this.batch, this.filled] = [null, 0];
    this.inFlight += 1;
    this.send({ op: 'update', id: this.id, bytes: batch, length: filled }, [batch.buffer]);
  }
}
