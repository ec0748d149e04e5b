import type { ObjectKey } from './object-keys.js';

/** Bytes that are durable in one object. */
export interface StoredObject {
  readonly key: ObjectKey;
  readonly size: number;
}

export interface StoredPart {
  readonly number: number;
  readonly etag: string;
  readonly size: number;
  /** Base64, where the store has computed it: a completion then has to repeat it. */
  readonly sha256?: string;
}

export interface Multipart {
  readonly id: string;
  readonly key: ObjectKey;
}

/** The acknowledged bytes are the segments, in this order. */
export interface FilesystemState {
  readonly driver: 'filesystem';
  readonly segments: readonly StoredObject[];
}

/** The acknowledged bytes are the parts, in this order, and then the tail. */
export interface S3State {
  readonly driver: 's3';
  /** Whose append made this state: a larger distance means that writers were lost in between. */
  readonly epoch: number;
  readonly multipart: Multipart | null;
  readonly parts: readonly StoredPart[];
  readonly tail: StoredObject | null;
  /** Multipart uploads of lost writers, aborted at the end. */
  readonly stale: readonly Multipart[];
}

/**
 * All that another node needs to go on writing: a JSON value kept in the upload's row, opaque to the caller.
 * `null` while the store holds nothing.
 */
export type WriterState = FilesystemState | S3State;
