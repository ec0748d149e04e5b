import { createSHA256, createSHA512, type IHasher } from 'hash-wasm';
import type { Algorithm, Digest } from '../../oci/digest.js';
import { digestFrom } from '../../oci/digest.js';

/** Which build makes the states: one loads in no other, so a row says where its state is from. */
export const HASH_LIBRARY = 'hash-wasm 4.13.0';

const HASHERS = { sha256: await createSHA256(), sha512: await createSHA512() } as const satisfies Record<
  Algorithm,
  IHasher
>;

/** A hash that has come so far: its digest if nothing follows, and what another request needs to go on. */
export interface HashProgress {
  readonly digest: Digest;
  readonly state: Buffer;
}

/** Whether `state` can be continued by this build. */
export function isLoadable(algorithm: Algorithm, library: string | null, state: Buffer): boolean {
  if (library !== HASH_LIBRARY) return false;
  try {
    HASHERS[algorithm].load(state);
    return true;
  } catch {
    return false;
  }
}

/**
 * Goes on from a state, or begins when there is none. Synchronous, at 150 to 460 MB/s on the event loop:
 * for few bytes only, the worker threads take the rest.
 */
export function hashOn(algorithm: Algorithm, state: Buffer | null, chunks: readonly Uint8Array[]): HashProgress {
  const hasher = HASHERS[algorithm];
  if (state) hasher.load(state);
  else hasher.init();
  for (const chunk of chunks) hasher.update(chunk);
  // `save` is refused after `digest`.
  const saved = Buffer.from(hasher.save());
  return { state: saved, digest: digestFrom(algorithm, hasher.digest('binary')) };
}
