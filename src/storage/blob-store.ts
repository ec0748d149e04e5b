import type { Readable } from 'node:stream';
import type { Share } from '../fairness/share.js';
import type { DirectUploads } from './direct-uploads.js';
import type { BlobInventory } from './blob-inventory.js';
import type { ObjectKey } from './object-keys.js';
import type { StoreUnavailable } from './storage-errors.js';
import type { WriterState } from './writer-state.js';

/** Which upload is written, by whom. The row names both before the first byte, and with them every name used. */
export interface WriteTarget {
  /** The upload's stem, from `objectKeyOf`. */
  readonly key: ObjectKey;
  /** Raised by every claim of the upload's row; never used by two calls of `append` or `put`. */
  readonly epoch: number;
}

export interface AppendOptions {
  /** Bytes acknowledged so far: what the state must hold. */
  readonly offset: number;
  /** Bytes in this body when they are known, else `null`. */
  readonly expectedBytes: number | null;
  readonly signal: AbortSignal;
  /** Whose part of the memory it takes; the node's own unless given. */
  readonly share?: Share;
  /**
   * Keeps an interim state in the row; zero or more times, before bytes go where only that state names them.
   * Must throw when the row has passed to a later epoch: that is what stops a writer that was taken over.
   */
  persist(state: WriterState): Promise<void>;
  /** Hex SHA-256 of exactly this body, asked after its last byte; lets the store verify what it received. */
  sha256?(): string | null;
}

export interface Appended {
  /** To be saved in the row; the bytes count from then on. Equal to the state given when the body was empty. */
  readonly state: WriterState | null;
  /** Bytes in this body. */
  readonly bytes: number;
  /** Delete these if the state could not be saved because the epoch was lost. */
  readonly created: readonly ObjectKey[];
  /** Delete these after the durable commit of the row that holds the new state. */
  readonly obsolete: readonly ObjectKey[];
}

export interface Completed {
  /** Where all bytes are, durably. Not a copy: the key that they were written to. */
  readonly key: ObjectKey;
  /** They are in several files still: `compaction` is to be asked to make one of them. */
  readonly isSplit: boolean;
  /** Delete these after the durable commit of the row that names `key`. */
  readonly obsolete: readonly ObjectKey[];
}

export interface StoreSpace {
  readonly freeBytes: number;
  readonly sizeBytes: number;
}

export interface ObjectStat {
  readonly size: number;
}

/** First and last byte, both inclusive, both inside the object: the caller has parsed and checked them. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export interface ReadOptions {
  readonly range?: ByteRange;
  readonly signal?: AbortSignal;
  /** Bytes of the whole object: one of another size is refused. */
  readonly size?: number;
}

export interface SignedUrlOptions {
  readonly ttlSeconds: number;
  /** Bytes of the object: it is looked at when a URL is made, and one that is absent or of another size is refused. */
  readonly size?: number;
  /** The `Content-Type` of the store's answer; `application/octet-stream` unless given. */
  readonly contentType?: string;
}

export interface CompactionOptions {
  readonly signal: AbortSignal;
  /** At most so many are written, so that requests have most of the disk. */
  readonly bytesPerSecond: number;
}

/** Of stores that complete an upload in several files: makes one of them, later and under the same key. */
export interface Compaction {
  /**
   * Concurrent readers of the object get the same bytes. Idempotent, at any moment of an earlier call that was cut off
   * and beside one that is still running, under an epoch of its own. Nothing when the object is one file. Throws
   * `ObjectSizeDiffers` when bytes of it are missing.
   */
  compact(target: WriteTarget, key: ObjectKey, options: CompactionOptions): Promise<void>;
}

/**
 * Where bytes live: the contract of every driver, and the injection token.
 *
 * What a call acknowledged survives a crash of this process and of its machine as far as the medium allows. What an
 * interrupted call leaves behind is garbage under names that `abandon` derives from the upload's row. Failures are
 * `StorageError`s; an aborted call throws the signal's reason, a failing source its own error.
 */
export abstract class BlobStore {
  abstract readonly driver: 'filesystem' | 's3';

  /** `null` when clients cannot bring bytes to this store without the node. */
  abstract readonly direct: DirectUploads | null;
  abstract readonly inventory: BlobInventory;
  /** `null` where every object is whole from the start. */
  abstract readonly compaction: Compaction | null;
  /** While it is set no bytes are taken: who acknowledged them would lose them when the right store is back. */
  refusal: StoreUnavailable | null = null;

  /** Throws `StartupError` with one line that says what to do, when the store cannot be used. */
  abstract prepare(): Promise<void>;

  /** Throws `StoreUnavailable` when the store does not answer. */
  abstract check(): Promise<void>;

  /** Writes something small under a name that is no object's, and removes it. Throws `StoreUnavailable`. */
  abstract checkWrite(): Promise<void>;

  /** `null` when the store does not say. */
  abstract space(): Promise<StoreSpace | null>;

  /** `null` only when the key is absent; every other failure throws. */
  abstract stat(key: ObjectKey): Promise<ObjectStat | null>;

  /**
   * Throws `ObjectNotFound` or `ObjectSizeDiffers` before the first byte; never an empty stream instead. The caller reads
   * or destroys it.
   */
  abstract open(key: ObjectKey, options?: ReadOptions): Promise<Readable>;

  /**
   * `null` when this store cannot hand out URLs; callers then stream. Never to be logged: it is a credential. Throws
   * `ObjectNotFound` or `ObjectSizeDiffers`; a store that does not say in time is taken at its word.
   */
  abstract signedUrl(key: ObjectKey, options: SignedUrlOptions): Promise<URL | null>;

  /** A whole object of bytes that are in memory, durable on return, under a name of this epoch. */
  abstract put(target: WriteTarget, bytes: Uint8Array, sha256Hex?: string): Promise<ObjectKey>;

  /** Absent keys are fine. */
  abstract delete(keys: readonly ObjectKey[]): Promise<void>;

  /**
   * Writes one request's body after the acknowledged bytes. The bytes are durable on return but count only once the
   * caller has saved the returned state under the target's epoch. When it throws, nothing of the body counts, the
   * earlier state stays valid, and a later epoch may go on from it at once, whatever this writer left or still does.
   * The body is read to its end or left where it was: it is never destroyed here, so that a refusal can be answered.
   * A chunk is the body's own again as soon as the next one is asked for: what is to be kept of it is copied.
   *
   * Throws `StoreBusy` before more than the body's first 256 KiB are read, or when its client has stalled while others wait;
   * `LengthMismatch`, `ObjectTooLarge`, `TooManyChunks`, `StoreUnavailable`, `UploadLost`.
   */
  abstract append(
    target: WriteTarget,
    state: WriterState | null,
    body: AsyncIterable<Uint8Array>,
    options: AppendOptions,
  ): Promise<Appended>;

  /**
   * Makes one object of the acknowledged bytes. Idempotent: repeated after a crash, by any node, in any epoch, with
   * the same state, it gives an object with the same bytes. Throws `UploadLost` when they cannot be had any more.
   */
  abstract complete(target: WriteTarget, state: WriterState | null): Promise<Completed>;

  /**
   * Removes all that the epochs up to the target's may have left, whether the state names it or not, except `keep`
   * (the object of a finished upload). Idempotent.
   */
  abstract abandon(target: WriteTarget, state: WriterState | null, keep?: ObjectKey): Promise<void>;

  abstract close(): Promise<void>;
}
