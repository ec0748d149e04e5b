import type { Readable } from 'node:stream';
import {
  BlobStore,
  type AppendOptions,
  type Appended,
  type Completed,
  type ObjectStat,
  type ReadOptions,
  type SignedUrlOptions,
  type StoreSpace,
  type WriteTarget,
  type Compaction,
} from './blob-store.js';
import type { WriterState } from './writer-state.js';
import type { DirectUploads } from './direct-uploads.js';
import type { BlobInventory } from './blob-inventory.js';
import type { MemoryBudget } from './memory-budget.js';
import type { ObjectKey } from './object-keys.js';
import { StoreUnavailable } from './storage-errors.js';

export type Operation = 'stat' | 'open' | 'signedUrl' | 'put' | 'delete' | 'append' | 'complete' | 'abandon';

/** Is told of each call how long it took, and its error or `null`. */
export type StoreMeter = (operation: Operation, seconds: number, error: unknown) => void;

/** Counts what is asked of the store: a test proves with it that an object is not read again, metrics show it. */
export class InstrumentedStore extends BlobStore {
  readonly driver: BlobStore['driver'];
  readonly direct: DirectUploads | null;
  readonly inventory: BlobInventory;
  readonly compaction: Compaction | null;
  readonly counts: Record<Operation, number> = {
    stat: 0,
    open: 0,
    signedUrl: 0,
    put: 0,
    delete: 0,
    append: 0,
    complete: 0,
    abandon: 0,
  };

  meter: StoreMeter | null = null;
  /** Is told of each write that the store did not take. */
  onWriteFailed: ((error: StoreUnavailable) => void) | null = null;

  /** `memory` is what the store gives its uploads; `null` where it needs none. */
  constructor(
    private readonly store: BlobStore,
    readonly memory: MemoryBudget | null = null,
  ) {
    super();
    this.driver = store.driver;
    this.direct = store.direct;
    this.inventory = store.inventory;
    this.compaction = store.compaction;
  }

  prepare(): Promise<void> {
    return this.store.prepare();
  }

  check(): Promise<void> {
    return this.store.check();
  }

  checkWrite(): Promise<void> {
    return this.refusal ? Promise.reject(this.refusal) : this.store.checkWrite();
  }

  space(): Promise<StoreSpace | null> {
    return this.store.space();
  }

  stat(key: ObjectKey): Promise<ObjectStat | null> {
    return this.measured('stat', () => this.store.stat(key));
  }

  open(key: ObjectKey, options?: ReadOptions): Promise<Readable> {
    return this.measured('open', () => this.store.open(key, options));
  }

  signedUrl(key: ObjectKey, options: SignedUrlOptions): Promise<URL | null> {
    return this.measured('signedUrl', () => this.store.signedUrl(key, options));
  }

  put(target: WriteTarget, bytes: Uint8Array, sha256Hex?: string): Promise<ObjectKey> {
    return this.written('put', () => this.store.put(target, bytes, sha256Hex));
  }

  delete(keys: readonly ObjectKey[]): Promise<void> {
    return this.measured('delete', () => this.store.delete(keys));
  }

  append(
    target: WriteTarget,
    state: WriterState | null,
    body: AsyncIterable<Uint8Array>,
    options: AppendOptions,
  ): Promise<Appended> {
    return this.written('append', () => this.store.append(target, state, body, options));
  }

  complete(target: WriteTarget, state: WriterState | null): Promise<Completed> {
    return this.written('complete', () => this.store.complete(target, state));
  }

  abandon(target: WriteTarget, state: WriterState | null, keep?: ObjectKey): Promise<void> {
    return this.measured('abandon', () => this.store.abandon(target, state, keep));
  }

  close(): Promise<void> {
    return this.store.close();
  }

  private written<T>(operation: Operation, call: () => Promise<T>): Promise<T> {
    const writing = this.refusal ? Promise.reject<T>(this.refusal) : this.measured(operation, call);
    writing.catch((error: unknown) => {
      if (error instanceof StoreUnavailable) this.onWriteFailed?.(error);
    });
    return writing;
  }

  private measured<T>(operation: Operation, call: () => Promise<T>): Promise<T> {
    this.counts[operation] += 1;
    return this.meter === null ? call() : timed(operation, call, this.meter);
  }
}

async function timed<T>(operation: Operation, call: () => Promise<T>, meter: StoreMeter): Promise<T> {
  const begun = performance.now();
  const told = (error: unknown): void => {
    meter(operation, (performance.now() - begun) / 1000, error);
  };
  try {
    const result = await call();
    told(null);
    return result;
  } catch (error) {
    told(error);
    throw error;
  }
}
