import { describe, expect, it } from '@jest/globals';
import { parseDigest } from './digest.js';
import { etagMatches, etagOf } from './etag.js';

const A = parseDigest(`sha256:${'a'.repeat(64)}`);
const B = parseDigest(`sha256:${'b'.repeat(64)}`);

describe('a conditional header', () => {
  it.each([
    [etagOf(A), true],
    [`W/${etagOf(A)}`, true],
    [`${etagOf(B)}, ${etagOf(A)}`, true],
    [`${etagOf(B)},${etagOf(A)}`, true],
    ['*', true],
    [' * ', true],
    [A, true],
    [etagOf(B), false],
    ['"*"', false],
    ['', false],
    ['"', false],
    [`"${A}`, false],
  ])('%j matches the current content: %j', (header, expected) => {
    expect(etagMatches(header, A)).toBe(expected);
  });

  it('never matches what does not exist, not even with *', () => {
    expect(etagMatches('*', null)).toBe(false);
    expect(etagMatches(etagOf(A), null)).toBe(false);
  });
});
