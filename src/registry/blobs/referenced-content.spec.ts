import { describe, expect, it } from '@jest/globals';
import { type Digest, parseDigest } from '../../oci/digest.js';
import type { HeldContent } from './content.repository.js';
import { matchContent, type ReferencedContent } from './referenced-content.js';

const digest = (character: string): Digest => parseDigest(`sha256:${character.repeat(64)}`);
const A = digest('a');
const B = digest('b');

const named = (more: Partial<ReferencedContent> = {}): ReferencedContent => ({
  digest: A,
  size: 10,
  kind: 'blob',
  absentKind: 'blob',
  isRequired: true,
  isSizeChecked: true,
  ...more,
});
const held = (more: Partial<HeldContent> = {}): HeldContent => ({
  digest: A,
  kind: 'blob',
  size: 10,
  present: true,
  ...more,
});
const condition = (name: string, detail: object) => expect.objectContaining({ condition: name, detail });

describe('content that a manifest names', () => {
  it('gets an edge, once for each digest', () => {
    const content = matchContent([named(), named(), named({ digest: B })], [held(), held({ digest: B })]);
    expect(content).toEqual({
      edges: [
        { digest: A, kind: 'blob' },
        { digest: B, kind: 'blob' },
      ],
      absent: [],
    });
  });

  it.each<[string, HeldContent[]]>([
    ['is nowhere', []],
    ['is only named so far', [held({ present: false })]],
    ['is there as a manifest only', [held({ kind: 'manifest' })]],
  ])('is missing when it %s', (_where, rows) => {
    expect(() => matchContent([named()], rows)).toThrow(condition('manifestBlobUnknown', { digests: [A] }));
  });

  it('is listed when it is missing, up to a hundred', () => {
    expect(() => matchContent([named(), named({ digest: B })], [])).toThrow(
      condition('manifestBlobUnknown', { digests: [A, B] }),
    );
    const many = Array.from({ length: 10_000 }, (_, i) => parseDigest(`sha256:${String(i).padStart(64, '0')}`));
    const digests = many.slice(0, 100);
    const all = many.map((digest) => named({ digest }));
    expect(() => matchContent(all, [])).toThrow(condition('manifestBlobUnknown', { digests }));
  });

  it('must have the size that the descriptor says', () => {
    expect(() => matchContent([named({ size: 11 })], [held()])).toThrow(
      condition('descriptorSizeMismatch', { digest: A, size: 11, actual: 10 }),
    );
  });

  it('has any size where the descriptor may mean something else', () => {
    expect(matchContent([named({ size: 11, isSizeChecked: false })], [held()]).edges).toHaveLength(1);
  });

  it('may be absent where it need not exist, and becomes a row and an edge', () => {
    expect(matchContent([named({ isRequired: false })], [])).toEqual({
      edges: [{ digest: A, kind: 'blob' }],
      absent: [{ digest: A, kind: 'blob', size: 10 }],
    });
  });

  it('keeps the row that it has when it is absent and was named before', () => {
    expect(matchContent([named({ isRequired: false })], [held({ present: false })]).absent).toEqual([]);
  });
});

describe('a child of any kind', () => {
  const any = (more: Partial<ReferencedContent> = {}) => named({ kind: 'any', absentKind: 'manifest', ...more });

  it('is the manifest when there is one', () => {
    expect(matchContent([any()], [held(), held({ kind: 'manifest' })]).edges).toEqual([
      { digest: A, kind: 'manifest' },
    ]);
  });

  it('is the blob when there is no manifest', () => {
    const rows = [held({ kind: 'manifest', present: false }), held()];
    expect(matchContent([any()], rows).edges).toEqual([{ digest: A, kind: 'blob' }]);
  });

  it('is named as what it would be while neither is there', () => {
    expect(matchContent([any({ isRequired: false })], []).absent).toEqual([{ digest: A, kind: 'manifest', size: 10 }]);
  });
});
