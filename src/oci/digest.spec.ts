import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  algorithmOf,
  DIGEST_ALGORITHMS,
  digestFrom,
  HEX_LENGTH,
  hexOf,
  isDigest,
  parseDigest,
  parseDigestAlgorithm,
} from './digest.js';

const HEX = 'a'.repeat(64);

describe('parsing a digest', () => {
  it.each(DIGEST_ALGORITHMS)('takes %s and gives back its parts', (algorithm) => {
    for (let round = 0; round < 50; round += 1) {
      const hash = createHash(algorithm).update(`round ${round}`).digest();
      const digest = parseDigest(`${algorithm}:${hash.toString('hex')}`);
      expect(algorithmOf(digest)).toBe(algorithm);
      expect(hexOf(digest)).toHaveLength(HEX_LENGTH[algorithm]);
      expect(digestFrom(algorithm, hash)).toBe(digest);
    }
  });

  it.each([
    '',
    ':',
    'sha256',
    'sha256:',
    'sha256:baddigeststring',
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'a'.repeat(65)}`,
    `sha256:${'a'.repeat(128)}`,
    `sha512:${HEX}`,
    `SHA256:${HEX}`,
    `sha256:${HEX}:`,
    `sha256:${HEX}\n`,
    ` sha256:${HEX}`,
    `sha256:${'g'.repeat(64)}`,
    `sha256:../../etc/passwd`,
    `toString:${HEX.slice(0, 8)}`,
    `sha256:${'a'.repeat(100_000)}`,
  ])('refuses %j as malformed', (text) => {
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text)).toThrow(expect.objectContaining({ condition: 'digestMalformed' }));
  });

  it.each([
    `blake3:${HEX}`,
    `md5:${'a'.repeat(32)}`,
    'multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8',
  ])('tells that the algorithm of %j is not supported', (text) => {
    expect(() => parseDigest(text)).toThrow(expect.objectContaining({ condition: 'digestUnsupported' }));
  });
});

describe('the algorithm that an upload announces', () => {
  it('is one of the two that the registry computes', () => {
    expect(DIGEST_ALGORITHMS.map(parseDigestAlgorithm)).toEqual(DIGEST_ALGORITHMS);
  });

  it.each(['', 'sha1', 'SHA512', 'constructor', 'sha256 '])('is refused when it is %j', (text) => {
    expect(() => parseDigestAlgorithm(text)).toThrow(expect.objectContaining({ condition: 'digestUnsupported' }));
  });
});

it('does not make a digest of a hash of the wrong length', () => {
  expect(() => digestFrom('sha256', new Uint8Array(64))).toThrow(RangeError);
});
