import { OciError } from './oci-error.js';

/** A digest whose algorithm this registry computes, in its one canonical spelling. */
export type Digest = string & { readonly __brand: 'Digest' };

export const DIGEST_ALGORITHMS = ['sha256', 'sha512'] as const;
export type Algorithm = (typeof DIGEST_ALGORITHMS)[number];

/** Hexadecimal characters of each algorithm's encoded part. */
export const HEX_LENGTH = { sha256: 64, sha512: 128 } as const satisfies Record<Algorithm, number>;

/** Bytes of each algorithm's hash. */
export const HASH_BYTES = { sha256: 32, sha512: 64 } as const satisfies Record<Algorithm, number>;

// Upper-case hex MUST NOT be used (image-spec, "SHA-256"): one content has one spelling.
const SPELLING = /^sha(?:256|512):[a-f0-9]+$/;
// The general grammar of image-spec, "Digests"; long enough input is never a digest of ours, so it is not tried.
const GRAMMAR = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;
const MAX_LENGTH = 256;
const SHOWN = 200; // characters of a refused text that go back to the client

export function isDigestAlgorithm(text: string): text is Algorithm {
  return (DIGEST_ALGORITHMS as readonly string[]).includes(text);
}

export function isDigest(text: string): text is Digest {
  // A manifest has up to ten thousand: nothing is made of the text.
  const algorithm = text.startsWith('sha512:') ? 'sha512' : 'sha256';
  return text.length === algorithm.length + 1 + HEX_LENGTH[algorithm] && SPELLING.test(text);
}

/**
 * Throws `digestUnsupported` for a well-formed digest of another algorithm, `digestMalformed` for the rest
 * (400 both: "if the client provided digest is invalid or uses an unsupported algorithm").
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const foreign =
    text.length <= MAX_LENGTH && GRAMMAR.test(text) && !isDigestAlgorithm(text.slice(0, text.indexOf(':')));
  throw new OciError(foreign ? 'digestUnsupported' : 'digestMalformed', { digest: text.slice(0, SHOWN) });
}

/** The algorithm that `?digest-algorithm=` of an upload announces; throws `digestUnsupported`. */
export function parseDigestAlgorithm(text: string): Algorithm {
  if (isDigestAlgorithm(text)) return text;
  throw new OciError('digestUnsupported', { algorithm: text.slice(0, SHOWN) });
}

export function algorithmOf(digest: Digest): Algorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** The digest of a computed hash; a hash of the wrong length is a bug of the caller, not of a client. */
export function digestFrom(algorithm: Algorithm, hash: Uint8Array): Digest {
  if (hash.length !== HASH_BYTES[algorithm])
    throw new RangeError(`a ${algorithm} hash has ${HASH_BYTES[algorithm]} bytes`);
  return `${algorithm}:${Buffer.from(hash).toString('hex')}` as Digest;
}
