import { describe, expect, it } from '@jest/globals';
import { type Digest, parseDigest } from './digest.js';
import type { ManifestLimits } from './manifest-limits.js';
import { contentSizeOf, parseManifest, parseStoredManifest } from './manifest.js';
import { MEDIA_TYPES } from './media-type.js';

const digest = (character: string): Digest => parseDigest(`sha256:${character.repeat(64)}`);
const descriptor = (character: string, mediaType: string, more: object = {}) => ({
  mediaType,
  digest: digest(character),
  size: 10,
  ...more,
});

const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const image = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.ociManifest,
  config: descriptor('c', MEDIA_TYPES.ociConfig),
  layers: [descriptor('1', LAYER), descriptor('2', LAYER)],
};
const index = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.ociIndex,
  manifests: [
    descriptor('a', MEDIA_TYPES.ociManifest, { platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } }),
    descriptor('b', MEDIA_TYPES.ociIndex),
  ],
};

const read = (document: unknown, contentType?: string, limits: Partial<ManifestLimits> = {}) => {
  const own = (document as { mediaType?: unknown } | null)?.mediaType;
  return parseManifest(
    Buffer.from(JSON.stringify(document)),
    contentType ?? (typeof own === 'string' ? own : undefined),
    {
      maxBytes: 4_194_304,
      ...limits,
    },
  );
};
const names = (document: unknown, contentType?: string) =>
  read(document, contentType).references.map(
    ({ role, content, mustExist, descriptor: { digest: text } }) =>
      `${role} ${text[7] ?? ''} ${content}${mustExist ? '' : '?'}`,
  );
const condition = (name: string) => expect.objectContaining({ condition: name });

describe('an image manifest', () => {
  it('needs its config and its layers', () => {
    expect(read(image)).toMatchObject({
      kind: 'image',
      mediaType: MEDIA_TYPES.ociManifest,
      artifactType: null,
      subject: null,
    });
    expect(read(image).config?.digest).toBe(digest('c'));
    expect(names(image)).toEqual(['config c blob', 'layer 1 blob', 'layer 2 blob']);
  });

  it('is the same in docker’s types', () => {
    const document = { ...image, mediaType: MEDIA_TYPES.dockerManifest };
    expect(read(document).kind).toBe('image');
    expect(names(document)).toEqual(names(image));
  });

  it.each([[[]], [null], [undefined]])('may have no layers: %j', (layers) => {
    expect(names({ ...image, layers })).toEqual(['config c blob']);
  });

  it('does not need layers that are not distributed or lie elsewhere', () => {
    const layers = [
      descriptor('1', 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'),
      descriptor('2', 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'),
      descriptor('3', LAYER, { urls: ['https://elsewhere.example/layer'] }),
      descriptor('4', LAYER, { urls: [] }),
    ];
    expect(names({ ...image, layers }).slice(1)).toEqual([
      'layer 1 blob?',
      'layer 2 blob?',
      'layer 3 blob?',
      'layer 4 blob',
    ]);
  });

  it('needs its config, wherever else that may lie', () => {
    const config = descriptor('c', MEDIA_TYPES.ociConfig, { urls: ['https://elsewhere.example/config'] });
    expect(names({ ...image, config })[0]).toBe('config c blob');
  });

  it('may omit mediaType, and may have fields that nobody knows', () => {
    const { mediaType: _, ...bare } = image;
    expect(read({ ...bare, 'org.example': { deep: [1] } }, MEDIA_TYPES.ociManifest).kind).toBe('image');
  });

  it('keeps artifactType, subject and annotations', () => {
    const parsed = read({
      ...image,
      artifactType: 'application/vnd.example.sbom',
      subject: descriptor('5', MEDIA_TYPES.ociManifest),
      annotations: { k: 'v\0' },
    });
    expect(parsed).toMatchObject({ artifactType: 'application/vnd.example.sbom', annotations: { k: 'v\0' } });
    expect(parsed.subject?.digest).toBe(digest('5'));
    expect(parsed.references).toHaveLength(3); // the subject is a weak link, no reference
  });

  it('may name sha512 digests', () => {
    const config = { ...image.config, digest: `sha512:${'e'.repeat(128)}` };
    expect(read({ ...image, config }).config?.digest).toBe(config.digest);
  });

  it('counts each of its digests once', () => {
    expect(contentSizeOf(read({ ...image, layers: [...image.layers, ...image.layers] }))).toBe(30);
    const huge = [1, 2, 3].map((number) => descriptor(String(number), LAYER, { size: Number.MAX_SAFE_INTEGER }));
    expect(contentSizeOf(read({ ...image, layers: huge }))).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('an index', () => {
  it('needs its children, nested indexes included', () => {
    expect(names(index)).toEqual(['manifest a manifest', 'manifest b manifest']);
    expect(read(index).references[0]?.descriptor.platform).toEqual({
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
    });
    expect(names({ ...index, mediaType: MEDIA_TYPES.dockerList })).toHaveLength(2);
  });

  it.each([[[]], [null]])('may be empty: %j', (manifests) => {
    expect(names({ ...index, manifests })).toEqual([]);
  });

  it('may name children of types that are not known, which may be blobs', () => {
    expect(names({ ...index, manifests: [descriptor('1', LAYER)] })).toEqual(['manifest 1 any']);
  });

  it('must have a list of manifests', () => {
    const { manifests: _, ...bare } = index;
    expect(() => read(bare)).toThrow(condition('manifestInvalid'));
  });
});

describe('an artifact manifest', () => {
  it('needs its blobs, and no schemaVersion', () => {
    const document = {
      mediaType: MEDIA_TYPES.ociArtifact,
      artifactType: 'application/a',
      blobs: [descriptor('1', 'text/plain')],
    };
    expect(read(document)).toMatchObject({ kind: 'artifact', artifactType: 'application/a', config: null });
    expect(names(document)).toEqual(['blob 1 blob']);
    expect(names({ mediaType: MEDIA_TYPES.ociArtifact })).toEqual([]);
  });
});

describe('a manifest of another type', () => {
  it.each([
    {},
    { anything: [1, 2] },
    { layers: 'no', config: 3, subject: [], annotations: 5, artifactType: {} },
    { layers: [{ digest: 'no' }, null] },
    { schemaVersion: 1 },
  ])('may be any JSON object: %j', (document) => {
    expect(read(document, 'application/vnd.example+json')).toMatchObject({
      kind: 'other',
      references: [],
      subject: null,
    });
  });

  it('keeps alive what looks like a descriptor, and insists on nothing', () => {
    const document = { ...image, mediaType: 'application/vnd.example', subject: index.manifests[0] };
    expect(names(document)).toEqual(['config c any?', 'layer 1 any?', 'layer 2 any?']);
    expect(read(document).subject?.digest).toBe(digest('a'));
  });
});

describe('a manifest is refused', () => {
  const layer = (more: object) => ({ ...image, layers: [image.layers[0], { ...image.layers[1], ...more }] });

  it.each<[string, unknown, string | undefined, string]>([
    ['when it is no object', [image], MEDIA_TYPES.ociManifest, 'manifestNotJson'],
    ['when it is null', null, MEDIA_TYPES.ociManifest, 'manifestNotJson'],
    ['when mediaType differs from Content-Type', image, MEDIA_TYPES.ociIndex, 'mediaTypeMismatch'],
    ['when mediaType differs from an unknown Content-Type', image, 'application/json', 'mediaTypeMismatch'],
    ['when mediaType is no string', { ...image, mediaType: 5 }, MEDIA_TYPES.ociManifest, 'mediaTypeMismatch'],
    ['when it would be a page', image, 'text/html', 'mediaTypeInvalid'],
    ['when its type is that of any JSON', {}, 'application/json', 'mediaTypeForeign'],
    ['when it would be a script', { anything: 1 }, 'application/javascript', 'mediaTypeForeign'],
    ['when its own type is one of other things', { mediaType: 'application/wasm' }, undefined, 'mediaTypeForeign'],
    ['when neither header nor document says its type', {}, undefined, 'mediaTypeInvalid'],
    [
      'when only the document says a type that would be a page',
      { mediaType: 'text/html' },
      undefined,
      'mediaTypeInvalid',
    ],
    ['when schemaVersion is missing', { ...image, schemaVersion: undefined }, undefined, 'manifestSchemaVersion'],
    ['when schemaVersion is another', { ...index, schemaVersion: '2' }, undefined, 'manifestSchemaVersion'],
    ['when it is schema 1', { schemaVersion: 1 }, MEDIA_TYPES.dockerSchema1Signed, 'manifestSchema1'],
    ['when it is schema 1 in disguise', { schemaVersion: 1, fsLayers: [] }, 'application/json', 'manifestSchema1'],
    ['when it has no config', { ...image, config: undefined }, undefined, 'descriptorInvalid'],
    ['when layers are no list', { ...image, layers: {} }, undefined, 'manifestInvalid'],
    ['when it is image and index at once', { ...image, manifests: [] }, undefined, 'manifestInvalid'],
    ['when it is index and image at once', { ...index, layers: [] }, undefined, 'manifestInvalid'],
    ['when annotations are no strings', { ...image, annotations: { a: 1 } }, undefined, 'manifestInvalid'],
    ['when annotations are a list', { ...image, annotations: ['a'] }, undefined, 'manifestInvalid'],
    ['when artifactType has control characters', { ...image, artifactType: 'a\0b' }, undefined, 'manifestInvalid'],
    ['when its subject is no descriptor', { ...image, subject: {} }, undefined, 'descriptorInvalid'],
    ['when a descriptor has no size', layer({ size: undefined }), undefined, 'descriptorInvalid'],
    ['when a size is negative', layer({ size: -1 }), undefined, 'descriptorInvalid'],
    ['when a size is no integer', layer({ size: 1.5 }), undefined, 'descriptorInvalid'],
    ['when a size is beyond 2^53', layer({ size: 2 ** 53 }), undefined, 'descriptorInvalid'],
    ['when a size is a text', layer({ size: '10' }), undefined, 'descriptorInvalid'],
    ['when a digest is malformed', layer({ digest: 'sha256:1' }), undefined, 'descriptorInvalid'],
    [
      'when a digest is of another algorithm',
      layer({ digest: `blake3:${'a'.repeat(64)}` }),
      undefined,
      'descriptorInvalid',
    ],
    ['when a descriptor has no media type', layer({ mediaType: '' }), undefined, 'descriptorInvalid'],
    ['when a descriptor is null', { ...index, manifests: [null] }, undefined, 'descriptorInvalid'],
  ])('%s', (_why, document, contentType, expected) => {
    expect(() => read(document, contentType)).toThrow(condition(expected));
  });

  it('and the answer says which field is wrong', () => {
    expect(() => read(layer({ size: -1 }))).toThrow(
      expect.objectContaining({ detail: { path: 'layers[1].size', reason: 'must be a non-negative integer' } }),
    );
  });

  it('when it is larger than the limit, with 413', () => {
    const size = Buffer.byteLength(JSON.stringify(image));
    expect(read(image, undefined, { maxBytes: size }).kind).toBe('image');
    expect(() => read(image, undefined, { maxBytes: size - 1 })).toThrow(
      expect.objectContaining({ condition: 'manifestTooLarge', status: 413 }),
    );
  });

  it('when it is nested too deeply', () => {
    expect(() => read({ ...image, a: [[[[]]]] }, undefined, { maxDepth: 4 })).toThrow(condition('manifestDeepNesting'));
  });

  it.each([image, index, { mediaType: 'application/vnd.example', layers: image.layers }])(
    'when it has too many descriptors',
    (document) => {
      expect(() => read(document, undefined, { maxDescriptors: 1 })).toThrow(condition('manifestTooManyDescriptors'));
    },
  );
});

it('is understood once it is stored, under whatever type and with however many descriptors', () => {
  const bytes = Buffer.from(JSON.stringify({ layers: image.layers }));
  for (const mediaType of ['application/json', 'text/html']) {
    expect(parseStoredManifest(bytes, mediaType)).toMatchObject({ mediaType, kind: 'other' });
  }
  const many = { ...index, manifests: Array.from({ length: 10_001 }, () => index.manifests[0]) };
  const stored = parseStoredManifest(Buffer.from(JSON.stringify(many)), MEDIA_TYPES.ociIndex);
  expect(stored.references).toHaveLength(10_001);
});

it('takes parameters off the Content-Type', () => {
  expect(read(image, `${MEDIA_TYPES.ociManifest}; charset=utf-8`).mediaType).toBe(MEDIA_TYPES.ociManifest);
});

it('does not touch the bytes', () => {
  const bytes = Buffer.from(`\n ${JSON.stringify(image, null, 3)}\n`);
  const before = Buffer.from(bytes);
  parseManifest(bytes, MEDIA_TYPES.ociManifest, { maxBytes: 10_000 });
  expect(bytes.equals(before)).toBe(true);
});
