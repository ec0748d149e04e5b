import { describe, expect, it } from '@jest/globals';
import { isNonDistributable, isSchema1, manifestKindOf, MEDIA_TYPES, parseManifestMediaType } from './media-type.js';

describe('the media type of a manifest', () => {
  it.each([
    [MEDIA_TYPES.ociManifest, MEDIA_TYPES.ociManifest],
    [`${MEDIA_TYPES.ociIndex}; charset=utf-8`, MEDIA_TYPES.ociIndex],
    [' application/json ;q=1', 'application/json'],
    ['application/vnd.example+type', 'application/vnd.example+type'],
  ])('%j is taken without its parameters', (contentType, mediaType) => {
    expect(parseManifestMediaType(contentType)).toBe(mediaType);
  });

  it.each([
    '',
    'text/html',
    'text/html;application/json',
    'image/svg+xml',
    'application/',
    'application',
    '*/*',
    'application/a b',
    'application/a\r\nX: y',
    `application/${'a'.repeat(128)}`,
  ])('%j is refused', (contentType) => {
    expect(() => parseManifestMediaType(contentType)).toThrow(
      expect.objectContaining({ condition: 'mediaTypeInvalid' }),
    );
  });

  it.each([
    [MEDIA_TYPES.ociManifest, 'image'],
    [MEDIA_TYPES.dockerManifest, 'image'],
    [MEDIA_TYPES.ociIndex, 'index'],
    [MEDIA_TYPES.dockerList, 'index'],
    [MEDIA_TYPES.ociArtifact, 'artifact'],
    ['application/json', 'other'],
    ['toString', 'other'],
  ])('%s is of the kind %s', (mediaType, kind) => {
    expect(manifestKindOf(mediaType)).toBe(kind);
  });

  it('is known when it is schema 1', () => {
    expect(isSchema1(MEDIA_TYPES.dockerSchema1Signed)).toBe(true);
    expect(isSchema1(MEDIA_TYPES.dockerManifest)).toBe(false);
  });
});

it.each([
  ['application/vnd.oci.image.layer.nondistributable.v1.tar', true],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar+zstd', true],
  ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', true],
  ['application/vnd.oci.image.layer.v1.tar+gzip', false],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', false],
])('%s is non-distributable: %j', (mediaType, expected) => {
  expect(isNonDistributable(mediaType)).toBe(expected);
});
