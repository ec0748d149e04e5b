// What the description of /v2 shows.

export const DIGEST_EXAMPLE = 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const UPLOAD_EXAMPLE = '6b8c0d5e-0d5a-4b5c-9a53-0c1b2b7c1c58';
export const BYTES = 'application/octet-stream';
export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX = 'application/vnd.oci.image.index.v1+json';

const DESCRIPTOR = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: DIGEST_EXAMPLE, size: 4 };
export const MANIFEST_EXAMPLE = {
  schemaVersion: 2,
  mediaType: MANIFEST,
  config: { ...DESCRIPTOR, mediaType: 'application/vnd.oci.image.config.v1+json' },
  layers: [DESCRIPTOR],
};
export const INDEX_EXAMPLE = {
  schemaVersion: 2,
  mediaType: INDEX,
  manifests: [{ ...DESCRIPTOR, mediaType: MANIFEST, artifactType: 'application/vnd.example.sbom.v1' }],
};

/** Examples of what stands between braces in a path below /v2. */
export const PATH_EXAMPLES: Readonly<Record<string, readonly [example: string, description: string]>> = {
  name: ['admin/app', 'The repository, of two or more components; a / inside is written %2F'],
  reference: ['latest', 'A tag or a digest'],
  digest: [DIGEST_EXAMPLE, 'sha256 or sha512'],
  id: [UPLOAD_EXAMPLE, 'Of the upload, from its Location'],
};

export const PAGE_QUERY = { n: '100', last: 'v1' };
export const CONTENT_RANGE = { 'Content-Range': '0-1023' };
