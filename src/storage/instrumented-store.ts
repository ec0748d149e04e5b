import type { Readable } from 'node:stream';
import {
  BlobStore,
  type AppendOptions,
  type Appended,
  type Completed,
  type ObjectStat,
  type ReadOptions,
  type SignedUrlOptions,
  type WriteTarget,
} from './blob-store.js';
import type { WriterState } from './writer-state.js';
import type { DirectUploads } from './direct-uploads.js';
import type { BlobInventory } from './blob-inventory.js';
import type { ObjectKey } from './object-keys.js';

export type Operation = 'stat' | 'open' | 'signedUrl' | 'put' | 'delete' | 'append' | 'complete' | 'abandon';

/** Counts what is asked of the store: a test proves with it that an object is not read again, metrics show it. */
export class InstrumentedStore extends BlobStore {
  readonly driver: BlobStore['driver'];
  readonly direct: DirectUploads | null;
  readonly inventory: BlobInventory;
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

  constructor(private readonly store: BlobStore) {
    super();
    this.driver = store.driver;
    this.direct = store.direct;
    this.inventory = store.inventory;
  }

  prepare(): Promise<void> {
    return this.store.prepare();
  }

  check(): Promise<void> {
    return this.store.check();
  }

  stat(key: ObjectKey): Promise<ObjectStat | null> {
    this.counts.stat += 1;
    return this.store.stat(key);
  }

  open(key: ObjectKey, options?: ReadOptions): Promise<Readable> {
    this.counts.open += 1;
    return this.store.open(key, options);
  }

  signedUrl(key: ObjectKey, options: SignedUrlOptions): Promise<URL | null> {
    this.counts.signedUrl += 1;
    return this.store.signedUrl(key, options);
  }

  put(target: WriteTarget, bytes: Uint8Array, sha256Hex?: string): Promise<ObjectKey> {
    this.counts.put += 1;
    return this.store.put(target, bytes, sha256Hex);
  }

  delete(keys: readonly ObjectKey[]): Promise<void> {
    this.counts.delete += 1;
    return this.store.delete(keys);
  }

  append(
    target: WriteTarget,
    state: WriterState | null,
    body: AsyncIterable<Uint8Array>,
    options: AppendOptions,
  ): Promise<Appended> {
    this.counts.append += 1;
    return this.store.append(target, state, body, options);
  }

  complete(target: WriteTarget, state: WriterState | null): Promise<Completed> {
    this.counts.complete += 1;
    return this.store.complete(target, state);
  }

  abandon(target: WriteTarget, state: WriterState | null, keep?: ObjectKey): Promise<void> {
    this.counts.abandon += 1;
    return this.store.abandon(target, state, keep);
  }

  close(): Promise<void> {
    return this.store.close();
  }
}
