import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseManifest, parseStoredManifest } from '../../oci/manifest.js';
import { NEW_MANIFEST } from '../../oci/manifest-limits.js';
import { MEDIA_TYPES } from '../../oci/media-type.js';
import type { OciError } from '../../oci/oci-error.js';
import { ManifestParser } from './manifest-parser.service.js';

const LIMITS = { ...NEW_MANIFEST, maxBytes: 4 * 1024 * 1024, maxAnnotations: 1_000 };
const digest = (at: number): string => `sha256:${String(at).padStart(64, '0')}`;
const descriptor = (at: number): object => ({
  mediaType: 'application/vnd.example',
  digest: digest(at),
  size: at,
  ...(at % 3 === 0 ? { urls: ['https://example.com'] } : {}),
  platform: { os: 'linux', architecture: 'arm64' },
});

/** An image of so many layers. */
const image = (layers: number, more: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: descriptor(1),
      subject: descriptor(2),
      layers: Array.from({ length: layers }, (_, at) => descriptor(at)),
      annotations: { name: 'value' },
      ...more,
    }),
  );

let parser: ManifestParser;

beforeEach(() => {
  parser = new ManifestParser();
});

afterEach(() => parser.onApplicationShutdown());

describe('the parser of manifests', () => {
  it('reads small ones at once', () => {
    const bytes = image(3);
    expect(parser.parse(bytes, undefined, LIMITS)).toEqual(parseManifest(bytes, undefined, LIMITS));
    expect(parser.parseStored(bytes, MEDIA_TYPES.ociManifest)).toEqual(
      parseStoredManifest(bytes, MEDIA_TYPES.ociManifest),
    );
  });

  it('reads large ones in a thread, several in a row, with the same outcome', async () => {
    const bytes = image(9_999);
    const [pushed, stored] = await Promise.all([
      parser.parse(bytes, MEDIA_TYPES.ociManifest, LIMITS),
      parser.parseStored(bytes, MEDIA_TYPES.ociManifest),
    ]);
    expect(pushed).toEqual(parseManifest(bytes, MEDIA_TYPES.ociManifest, LIMITS));
    expect(stored).toEqual(pushed);
    expect(bytes).toHaveLength(image(9_999).length);
  });

  it('lets the event loop go on meanwhile', async () => {
    const bytes = image(9_999);
    let turns = 0;
    let next: NodeJS.Immediate;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    next = setImmediate(count);
    const parsing = parser.parse(bytes, MEDIA_TYPES.ociManifest, LIMITS);
    expect(parsing).toBeInstanceOf(Promise);
    await parsing;
    clearImmediate(next);
    expect(turns).toBeGreaterThan(9);
  });

  it.each([
    ['too many descriptors', image(10_001)],
    ['a malformed one', image(9_999, { subject: { mediaType: 'x' } })],
    ['another type', image(9_999, { mediaType: MEDIA_TYPES.ociIndex })],
    ['no JSON', Buffer.alloc(200_000, ' ')],
  ])('refuses %s with the same error', async (_what, bytes) => {
    let expected: unknown;
    try {
      parseManifest(bytes, MEDIA_TYPES.ociManifest, LIMITS);
    } catch (error) {
      expected = error;
    }
    const { condition, detail, message } = expected as OciError;
    await expect(parser.parse(bytes, MEDIA_TYPES.ociManifest, LIMITS)).rejects.toMatchObject({
      condition,
      ...(detail === undefined ? {} : { detail }),
      message,
    });
  });

  it('fails what its thread was asked when that ends, and starts another one', async () => {
    const bytes = image(9_999);
    const lost = parser.parse(bytes, MEDIA_TYPES.ociManifest, LIMITS);
    await Promise.all([expect(lost).rejects.toThrow('has ended'), parser.onApplicationShutdown()]);
    expect((await parser.parse(bytes, MEDIA_TYPES.ociManifest, LIMITS)).references).toHaveLength(10_000);
  });
});
