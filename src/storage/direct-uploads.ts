import type { StoredPart, WriterState } from './writer-state.js';
import type { ObjectKey } from './object-keys.js';

/** One request that a client may send to the store itself. The URL is a credential: never to be logged. */
export interface SignedRequest {
  readonly url: string;
  /** Exactly these have to be sent: they are signed. */
  readonly headers: Readonly<Record<string, string>>;
}

/** How an object is cut: all parts but the last have `bytes`. */
export interface PartSizes {
  readonly bytes: number;
  readonly count: number;
}

/** What a signed request lets its holder write: these bytes and no others. */
export interface SignedBytes {
  readonly size: number;
  readonly sha256Hex: string;
  readonly ttlSeconds: number;
}

export interface VerifiedObject {
  readonly size: number;
  /** The SHA-256 that the store computed of the whole object when it was written; `null` when it does not say. */
  readonly sha256Hex: string | null;
}

/** What a store does for clients that bring their bytes to it without passing the node. */
export interface DirectUploads {
  /**
   * Whether the store has been seen to refuse a signed PUT with other bytes, and to take the right ones. Asked of the
   * store once in a process; throws `StoreUnavailable` when it cannot be asked now.
   */
  verifiesPut(): Promise<boolean>;

  /** The largest object that one PUT may make; bytes. */
  readonly maxPutBytes: number;

  /** Throws `ObjectTooLarge`. */
  partSizes(size: number): PartSizes;

  /** One whole object. A second PUT is refused, and where the store does not know that condition it brings equal bytes. */
  signPut(key: ObjectKey, bytes: SignedBytes): Promise<SignedRequest>;

  /** Begins an upload in parts at the stem's multipart key; its state is all that another node needs. */
  begin(stem: ObjectKey): Promise<WriterState>;

  /** Throws `UploadLost` for a state that has no such upload. */
  signPart(state: WriterState, number: number, bytes: SignedBytes): Promise<SignedRequest>;

  /** Every part that the store has, by number; `null` when the upload is gone: ended, or made an object already. */
  parts(state: WriterState): Promise<readonly StoredPart[] | null>;

  /** The state in which `BlobStore.complete` makes one object of these parts. */
  withParts(state: WriterState, parts: readonly StoredPart[]): WriterState;

  /** `null` only when the key is absent. */
  verified(key: ObjectKey): Promise<VerifiedObject | null>;
}
