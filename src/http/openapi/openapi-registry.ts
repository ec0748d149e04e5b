/**
 * What OpenAPI says of the /v2 routes beyond their decorators: those routes read requests and write answers by hand,
 * so no class describes their bodies. Keyed by `<method> <path>`; a test sees that every row is a route.
 */

const DIGEST = 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const UPLOAD = '6b8c0d5e-0d5a-4b5c-9a53-0c1b2b7c1c58';
const BYTES = 'application/octet-stream';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

const DESCRIPTOR = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: DIGEST, size: 4 };
const MANIFEST_EXAMPLE = {
  schemaVersion: 2,
  mediaType: MANIFEST,
  config: { ...DESCRIPTOR, mediaType: 'application/vnd.oci.image.config.v1+json' },
  layers: [DESCRIPTOR],
};
const INDEX_EXAMPLE = {
  schemaVersion: 2,
  mediaType: INDEX,
  manifests: [{ ...DESCRIPTOR, mediaType: MANIFEST, artifactType: 'application/vnd.example.sbom.v1' }],
};

export interface RouteSupplement {
  readonly summary?: string;
  /** Optional query parameters with an example each. */
  readonly query?: Readonly<Record<string, string>>;
  /** Optional request headers with an example each. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The request's media type, and an example where it is JSON; otherwise it is bytes. */
  readonly body?: readonly [mediaType: string, example?: unknown];
  /** Successful answers: the status, what it says, and for JSON the media type with an example. */
  readonly answers: readonly (readonly [status: number, text: string, mediaType?: string, example?: unknown])[];
}

/** Examples of what stands between braces in a path below /v2. */
export const PATH_EXAMPLES: Readonly<Record<string, readonly [example: string, description: string]>> = {
  name: ['admin/app', 'The repository, of two or more components; a / inside is written %2F'],
  reference: ['latest', 'A tag or a digest'],
  digest: [DIGEST, 'sha256 or sha512'],
  id: [UPLOAD, 'Of the upload, from its Location'],
};

const PAGE = { n: '100', last: 'v1' };
const RANGES = { 'Content-Range': '0-1023' };

export const REGISTRY_ROUTES: Readonly<Record<string, RouteSupplement>> = {
  'get /v2': { answers: [[200, 'The credentials are good', 'application/json', {}]] },
  'get /v2/_catalog': {
    query: PAGE,
    answers: [[200, 'Names in ASCII order', 'application/json', { repositories: ['admin/app', 'admin/team/app'] }]],
  },
  'get /v2/{name}/tags/list': {
    query: PAGE,
    answers: [[200, 'Tags in ASCII order', 'application/json', { name: 'admin/app', tags: ['latest', 'v1'] }]],
  },
  'get /v2/{name}/referrers/{digest}': { answers: [[200, 'An image index', INDEX, INDEX_EXAMPLE]] },

  'head /v2/{name}/manifests/{reference}': { answers: [[200, 'Its digest, type and size']] },
  'get /v2/{name}/manifests/{reference}': {
    headers: { 'If-None-Match': `"${DIGEST}"` },
    answers: [
      [200, 'The exact bytes that were pushed', MANIFEST, MANIFEST_EXAMPLE],
      [304, 'It matches If-None-Match'],
    ],
  },
  'put /v2/{name}/manifests/{reference}': {
    headers: { 'If-Match': `"${DIGEST}"` },
    body: [MANIFEST, MANIFEST_EXAMPLE],
    answers: [[201, 'Stored, see Location and Docker-Content-Digest']],
  },
  'delete /v2/{name}/manifests/{reference}': { answers: [[202, 'Deleted']] },

  'head /v2/{name}/blobs/{digest}': { summary: 'Check a blob (end-2)', answers: [[200, 'It exists, with its size']] },
  'get /v2/{name}/blobs/{digest}': {
    summary: 'Pull a blob (end-2)',
    headers: { Range: 'bytes=0-1023' },
    answers: [
      [200, 'The bytes', BYTES],
      [206, 'The range that was asked for', BYTES],
      [307, 'URL of the bytes, valid for a few minutes'],
    ],
  },
  'delete /v2/{name}/blobs/{digest}': {
    summary: 'Remove a blob from the repository (end-10)',
    answers: [[202, 'Removed']],
  },

  'post /v2/{name}/blobs/uploads': {
    summary: 'Start an upload, upload a blob at once, or mount one (end-4a, end-4b, end-11)',
    query: { digest: DIGEST, mount: DIGEST, from: 'admin/base', 'digest-algorithm': 'sha512' },
    body: [BYTES],
    answers: [
      [202, 'The upload continues at Location'],
      [201, 'The blob exists'],
    ],
  },
  'get /v2/{name}/blobs/uploads/{id}': {
    summary: 'Read the progress of an upload (end-13)',
    answers: [[204, 'Range has the bytes received']],
  },
  'patch /v2/{name}/blobs/uploads/{id}': {
    summary: 'Append to an upload (end-5)',
    headers: RANGES,
    body: [BYTES],
    answers: [[202, 'Range has the bytes received']],
  },
  'put /v2/{name}/blobs/uploads/{id}': {
    summary: 'Append the last bytes and close the upload (end-6)',
    query: { digest: DIGEST },
    headers: RANGES,
    body: [BYTES],
    answers: [[201, 'The blob exists']],
  },
  'delete /v2/{name}/blobs/uploads/{id}': { summary: 'Cancel an upload (end-14)', answers: [[204, 'Cancelled']] },
};
