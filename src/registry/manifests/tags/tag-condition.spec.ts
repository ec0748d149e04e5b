import { describe, expect, it } from '@jest/globals';
import { parseDigest } from '../../../oci/digest.js';
import { mayMove } from './tag-condition.js';

const SEEN = parseDigest(`sha256:${'a'.repeat(64)}`);
const OTHER = parseDigest(`sha256:${'b'.repeat(64)}`);

describe('a tag may be moved', () => {
  it.each([
    // If-Match        If-None-Match   absent  as seen  moved
    [null, null, true, true, true],
    ['*', null, false, true, true],
    [`"${SEEN}"`, null, false, true, false],
    [null, '*', true, false, false],
    [null, `"${SEEN}"`, true, false, true],
    ['*', `"${SEEN}"`, false, false, true],
  ])('with If-Match %s and If-None-Match %s', (ifMatch, ifNoneMatch, ...expected) => {
    expect([null, SEEN, OTHER].map((current) => mayMove({ ifMatch, ifNoneMatch }, current))).toEqual(expected);
  });
});
