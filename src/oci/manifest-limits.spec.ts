import { describe, expect, it } from '@jest/globals';
import { readImageConfig } from './image-config.js';
import { limitOf, type ManifestLimits, NEW_MANIFEST } from './manifest-limits.js';
import { parseManifest, parseStoredManifest } from './manifest.js';
import { MEDIA_TYPES } from './media-type.js';
import { OciError } from './oci-error.js';
import { platformsOf } from './platform.js';

const digest = `sha256:${'d'.repeat(64)}`;
const descriptor = { mediaType: 'application/vnd.example', digest, size: 2 };
const IMAGE = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: descriptor, layers: [descriptor] };
const INDEX = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [descriptor] };
const LIMITS: ManifestLimits = { ...NEW_MANIFEST, maxBytes: 64 * 1024 * 1024, maxAnnotations: 1_000 };

const many = (count: number, text = 'v'): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, text]));
const list = (count: number, extra: object = {}): object[] =>
  Array.from({ length: count }, () => ({ ...descriptor, ...extra }));
const bytesOf = (document: object): Buffer => Buffer.from(JSON.stringify(document));

/** Which limit refuses the manifest. */
function refusal(
  document: Readonly<Record<string, unknown>> & { mediaType: string },
  limits = LIMITS,
): ReturnType<typeof limitOf> {
  try {
    parseManifest(bytesOf(document), document.mediaType, limits);
    return null;
  } catch (error) {
    return limitOf(error);
  }
}

describe('a new manifest', () => {
  it.each([
    ['its own annotations', { ...IMAGE, annotations: many(1_000) }, { ...IMAGE, annotations: many(1_001) }],
    [
      'annotations of one layer',
      { ...IMAGE, layers: list(1, { annotations: many(1_000) }) },
      { ...IMAGE, layers: list(1, { annotations: many(1_001) }) },
    ],
    [
      'annotations of its config',
      { ...IMAGE, config: { ...descriptor, annotations: many(1_000) } },
      { ...IMAGE, config: { ...descriptor, annotations: many(1_001) } },
    ],
    [
      'annotations of its subject',
      { ...IMAGE, subject: { ...descriptor, annotations: many(1_000) } },
      { ...IMAGE, subject: { ...descriptor, annotations: many(1_001) } },
    ],
    [
      'annotations of all children together',
      { ...INDEX, manifests: list(5_000, { annotations: many(4) }) },
      { ...INDEX, manifests: list(5_001, { annotations: many(4) }) },
    ],
    [
      'bytes of its annotations',
      { ...IMAGE, annotations: many(500, 'x'.repeat(8_300)) },
      { ...IMAGE, annotations: many(500, 'x'.repeat(8_400)) },
    ],
  ])('is limited in %s', (_what, most, tooMany) => {
    expect([refusal(most), refusal(tooMany)]).toEqual([null, 'annotations']);
  });

  it('has 10,000 descriptors at most in all lists together, whatever it is', () => {
    const other = { mediaType: 'application/vnd.example+json', layers: list(4_000), blobs: list(4_000) };
    expect(refusal({ ...other, manifests: list(2_000) })).toBeNull();
    expect(refusal({ ...other, manifests: list(2_001) })).toBe('descriptors');
    expect(refusal({ ...INDEX, manifests: list(10_001) })).toBe('descriptors');
  });

  it('has 100,000 fields at most, known or not and wherever they are, and they are not built', () => {
    const shapes = Array.from({ length: 10_000 }, (_, index) =>
      Object.fromEntries(Array.from({ length: 10 }, (_value, key) => [`k${index * 10 + key}`, 1])),
    );
    expect(refusal({ ...IMAGE, unknown: shapes })).toBe('fields');
    expect(refusal({ ...IMAGE, unknown: shapes.slice(5_000) })).toBeNull();
    const colons = { ...IMAGE, annotations: { text: ':'.repeat(200_000) } };
    expect(refusal(colons)).toBeNull();
  });

  it('has 150,000 values at most, also such as have no comma between them, and they are not built', () => {
    const nested = (depth: number): unknown => (depth === 0 ? [] : [nested(depth - 1)]);
    const lists = (count: number): unknown[] => Array.from({ length: count }, () => nested(49));
    expect(refusal({ ...IMAGE, unknown: lists(4_000) })).toBe('fields');
    expect(refusal({ ...IMAGE, unknown: lists(2_900) })).toBeNull();
    expect(refusal({ ...IMAGE, unknown: Array.from({ length: 80_000 }, () => ({})) })).toBe('fields');
  });

  it('is not judged so once it is stored', () => {
    const document = { ...INDEX, manifests: list(10_001), annotations: many(120_000) };
    expect(parseStoredManifest(bytesOf(document), document.mediaType).references).toHaveLength(10_001);
  });

  it('is refused by other rules without being one of these', () => {
    expect(limitOf(new OciError('manifestNotJson'))).toBeNull();
    expect(limitOf(new Error('manifestTooManyFields'))).toBeNull();
  });
});

describe('what is shown of content that nobody judged', () => {
  it('is 1,000 labels of a config, and nothing of one with very many fields', () => {
    const config = (labels: object): Buffer =>
      bytesOf({ os: 'linux', architecture: 'amd64', config: { Labels: labels } });
    expect(Object.keys(readImageConfig(config(many(1_000)))?.labels ?? {})).toHaveLength(1_000);
    expect(Object.keys(readImageConfig(config(many(1_001)))?.labels ?? {})).toHaveLength(1_000);
    expect(Object.keys(readImageConfig(config(many(10, 'x'.repeat(30_000))))?.labels ?? {})).toHaveLength(4);
    expect(readImageConfig(config(many(20_001)))).toBeNull();
    const nested = Buffer.from(
      `{"os":"linux","x":[${Array(300)
        .fill(`${'['.repeat(50)}${']'.repeat(50)}`)
        .join(',')}]}`,
    );
    expect(readImageConfig(nested)).toBeNull();
  });

  it('is a few thousand characters of platforms', () => {
    const platform = (index: number) => ({
      os: `${index}${'o'.repeat(200)}`,
      architecture: 'a'.repeat(200),
      variant: null,
    });
    const descriptors = Array.from({ length: 100 }, (_, index) => ({ platform: platform(index) }));
    const texts = platformsOf(descriptors as unknown as Parameters<typeof platformsOf>[0]);
    expect(texts.join('').length).toBeLessThanOrEqual(4_000);
    expect(texts.length).toBeGreaterThan(5);
  });
});
