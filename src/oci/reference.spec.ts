import { describe, expect, it } from '@jest/globals';
import { parseReference, parseTag, referenceText } from './reference.js';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const condition = (name: string) => expect.objectContaining({ condition: name });

describe('parsing a reference', () => {
  it.each(['latest', '1.2.3', '_a', 'A-B_c.d', 'sha256-abc.sig', '0', 'x'.repeat(128)])('takes %j as a tag', (text) => {
    const reference = parseReference(text);
    expect(reference).toEqual({ kind: 'tag', tag: text });
    expect(referenceText(reference)).toBe(text);
  });

  it('takes a text with a colon as a digest', () => {
    const reference = parseReference(DIGEST);
    expect(reference).toEqual({ kind: 'digest', digest: DIGEST });
    expect(referenceText(reference)).toBe(DIGEST);
    expect(() => parseReference('sha256:baddigeststring')).toThrow(condition('digestMalformed'));
  });

  it.each(['', '.hidden', '-a', 'a b', 'a/b', 'a+b', 'ä', 'a\n', 'a@b', '..', '%00', 'x'.repeat(129)])(
    'refuses the tag %j',
    (text) => {
      expect(() => parseReference(text)).toThrow(condition('tagInvalid'));
      expect(() => parseTag(text)).toThrow(condition('tagInvalid'));
    },
  );

  it('answers a read of an impossible tag as one of an absent manifest', () => {
    expect(() => parseReference('.INVALID', 'manifestUnknown')).toThrow(condition('manifestUnknown'));
    expect(() => parseReference('sha256:bad', 'manifestUnknown')).toThrow(condition('digestMalformed'));
  });
});
