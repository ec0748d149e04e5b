import { describe, expect, it } from '@jest/globals';
import { parseDigest } from './digest.js';
import { parseManifest } from './manifest.js';
import { MEDIA_TYPES } from './media-type.js';
import { annotationsOf, referrerArtifactType, referrerDescriptor, referrersIndex, referrerText } from './referrers.js';

const digest = parseDigest(`sha256:${'d'.repeat(64)}`);
const config = { mediaType: 'application/vnd.example.config', digest, size: 2 };
const read = (document: { mediaType: string }) =>
  parseManifest(Buffer.from(JSON.stringify(document)), document.mediaType, { maxBytes: 10_000 });

describe('the artifact type of a referrer', () => {
  const image = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [] };
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] };

  it.each([
    ['an image that names one', { ...image, artifactType: 'application/a' }, 'application/a'],
    ['an image without one has its config type', image, 'application/vnd.example.config'],
    [
      'an image with an empty one has its config type',
      { ...image, artifactType: '' },
      'application/vnd.example.config',
    ],
    ['an index that names one', { ...index, artifactType: 'application/b' }, 'application/b'],
    ['an index without one has none', index, null],
    ['an artifact manifest', { mediaType: MEDIA_TYPES.ociArtifact, artifactType: 'application/c' }, 'application/c'],
  ])('%s', (_which, document, expected) => {
    expect(referrerArtifactType(read(document))).toBe(expected);
  });
});

describe('the referrers list', () => {
  it('is an index, also when it is empty', () => {
    expect(JSON.parse(referrersIndex([]))).toEqual({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociIndex,
      manifests: [],
    });
  });

  it('has the annotations of the manifest, and no artifactType where there is none', () => {
    const base = { mediaType: MEDIA_TYPES.ociIndex, digest, size: 7 };
    expect(referrerDescriptor({ ...base, artifactType: null, annotations: {} })).toEqual(base);
    expect(referrerDescriptor({ ...base, artifactType: 'application/a', annotations: { k: 'v' } })).toEqual({
      ...base,
      artifactType: 'application/a',
      annotations: { k: 'v' },
    });
  });

  it('is the same where annotations are JSON already', () => {
    const base = { mediaType: MEDIA_TYPES.ociIndex, digest, size: 7, artifactType: 'application/a' };
    const annotations = { k: 'v', '"': '\u2028' };
    const texts = [
      referrerText({ ...base, annotations: JSON.stringify(annotations) }),
      referrerText({ ...base, artifactType: null, annotations: '{}' }),
    ];
    expect(JSON.parse(referrersIndex(texts))).toMatchObject({
      manifests: [
        { ...base, annotations },
        { mediaType: base.mediaType, digest, size: 7 },
      ],
    });
    expect(texts[1]).not.toContain('annotations');
  });

  it('reads annotations out of stored bytes, U+0000 included, as the database can keep them', () => {
    const text = annotationsOf(Buffer.from('{"annotations":{"k":"a\\u0000b","__proto__":"x","n":1}}'));
    expect(text).not.toContain('\0');
    expect(JSON.parse(text)).toEqual(
      Object.fromEntries([
        ['k', 'a\0b'],
        ['__proto__', 'x'],
      ]),
    );
    expect(annotationsOf(Buffer.from('{}'))).toBe('{}');
  });
});
