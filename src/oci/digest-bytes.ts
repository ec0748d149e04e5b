import { type Algorithm, algorithmOf, type Digest, DIGEST_ALGORITHMS, HASH_BYTES, hexOf } from './digest.js';

/** One byte before the hash says which algorithm made it (the codes of multihash), so a stored digest explains itself. */
const PREFIX: Record<Algorithm, number> = { sha256: 0x12, sha512: 0x13 };
const ALGORITHM_OF_PREFIX = new Map(DIGEST_ALGORITHMS.map((algorithm) => [PREFIX[algorithm], algorithm]));

/** 33 bytes for sha256, 65 for sha512: the prefix, then the hash. */
export function digestToBytes(digest: Digest): Buffer {
  return Buffer.from(PREFIX[algorithmOf(digest)].toString(16) + hexOf(digest), 'hex');
}

/** A parameter for `bytea[]`, as PostgreSQL reads arrays: the driver would make it of ten thousand Buffers. */
export function digestsToArray(digests: readonly Digest[]): string {
  const texts = digests.map((digest) => `\\\\x${PREFIX[algorithmOf(digest)].toString(16)}${hexOf(digest)}`);
  return `{${texts.join(',')}}`;
}

/** The inverse of {@link digestToBytes}; throws on bytes that it did not make. */
export function digestFromBytes(bytes: Buffer): Digest {
  const algorithm = ALGORITHM_OF_PREFIX.get(bytes[0] ?? -1);
  if (algorithm === undefined || bytes.length !== HASH_BYTES[algorithm] + 1)
    throw new RangeError('these bytes are no digest');
  return `${algorithm}:${bytes.toString('hex', 1)}` as Digest;
}

/** How a digest column crosses between an entity and its `bytea` column. */
export const digestColumn = {
  to: (digest: Digest | null | undefined): Buffer | null | undefined =>
    digest == null ? digest : digestToBytes(digest),
  from: (bytes: Buffer | null): Digest | null => (bytes ? digestFromBytes(bytes) : null),
};
