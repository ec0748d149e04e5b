import type { Algorithm } from '../../oci/digest.js';

/** What the server asks of a hash worker. `id` names a job, which lives from `begin` to `finish` or `discard`. */
export type WorkerRequest =
  /** node:crypto, which is fast and cannot be saved. */
  | { readonly op: 'beginNative'; readonly id: number; readonly algorithm: Algorithm }
  /** The library that can be saved, from a state or from the first byte. */
  | { readonly op: 'begin'; readonly id: number; readonly algorithm: Algorithm; readonly state: Uint8Array | null }
  /** The first `length` bytes of a buffer that is handed over, and comes back with `updated`. */
  | { readonly op: 'update'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer>; readonly length: number }
  | { readonly op: 'finish'; readonly id: number }
  | { readonly op: 'discard'; readonly id: number };

export type WorkerReply =
  | { readonly id: number; readonly kind: 'updated'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly kind: 'finished'; readonly state: Uint8Array | null; readonly hash: Uint8Array }
  | { readonly id: number; readonly kind: 'failed'; readonly message: string };
