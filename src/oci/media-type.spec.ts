import { describe, expect, it } from '@jest/globals';
import {
  isNonDistributable,
  isSchema1,
  manifestKindOf,
  mayBeManifest,
  MEDIA_TYPES,
  parseManifestMediaType,
} from './media-type.js';

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

  it.each([
    ...Object.values(MEDIA_TYPES),
    'application/vnd.example.custom.manifest.v7+json',
    'application/vnd.example',
    'application/prs.somebody.thing',
    'application/x.local',
    'application/spdx+json',
  ])('%s may be that of a manifest', (mediaType) => {
    expect(mayBeManifest(mediaType)).toBe(true);
  });

  it.each([
    'application/json',
    'application/JSON',
    'application/x-www-form-urlencoded',
    'application/octet-stream',
    'application/javascript',
    'application/ecmascript',
    'application/x-javascript',
    'application/wasm',
    'application/xml',
    'application/xhtml+xml',
    'application/vnd.mozilla.xul+XML',
    'application/pdf',
    'application/x-shockwave-flash',
    'application/java-archive',
    'application/zip',
    'application/gzip',
    'application/+JSON2',
  ])('%s cannot be that of a manifest', (mediaType) => {
    expect(mayBeManifest(mediaType)).toBe(false);
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
