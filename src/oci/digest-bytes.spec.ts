import { expect, it } from '@jest/globals';
import { digestColumn, digestFromBytes, digestsToArray, digestToBytes } from './digest-bytes.js';
import { parseDigest } from './digest.js';

const SHA256 = parseDigest(`sha256:${'0123456789abcdef'.repeat(4)}`);
const SHA512 = parseDigest(`sha512:${'fedcba9876543210'.repeat(8)}`);

it.each([
  [SHA256, 33],
  [SHA512, 65],
])('stores %s in %d bytes and reads it back', (digest, length) => {
  const bytes = digestToBytes(digest);
  expect(bytes).toHaveLength(length);
  expect(digestFromBytes(bytes)).toBe(digest);
  expect(digestColumn.from(digestColumn.to(digest) ?? null)).toBe(digest);
});

it('writes several as an array of PostgreSQL', () => {
  const hex = [SHA256, SHA512].map((digest) => digestToBytes(digest).toString('hex'));
  expect(digestsToArray([SHA256, SHA512])).toBe(String.raw`{\\x${hex[0] ?? ''},\\x${hex[1] ?? ''}}`);
  expect(digestsToArray([])).toBe('{}');
});

it('keeps equal hashes of different algorithms apart', () => {
  expect(digestToBytes(SHA256)[0]).not.toBe(digestToBytes(SHA512)[0]);
});

it('does not read bytes that it did not write', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(33), digestToBytes(SHA256).subarray(0, 32)]) {
    expect(() => digestFromBytes(bytes)).toThrow();
  }
});

it('leaves an absent digest absent', () => {
  expect([digestColumn.to(null), digestColumn.to(undefined), digestColumn.from(null)]).toEqual([null, undefined, null]);
});
