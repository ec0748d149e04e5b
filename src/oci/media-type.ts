import { OciError } from './oci-error.js';

/** The manifest and config types that the registry itself reads; every other type is stored as it comes. */
export const MEDIA_TYPES = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociArtifact: 'application/vnd.oci.artifact.manifest.v1+json', // of image-spec 1.1's release candidates; still pushed
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
} as const;

export type ManifestKind = 'image' | 'index' | 'artifact' | 'other';

const KINDS: ReadonlyMap<string, ManifestKind> = new Map([
  [MEDIA_TYPES.ociManifest, 'image'],
  [MEDIA_TYPES.dockerManifest, 'image'],
  [MEDIA_TYPES.ociIndex, 'index'],
  [MEDIA_TYPES.dockerList, 'index'],
  [MEDIA_TYPES.ociArtifact, 'artifact'],
]);

const SCHEMA1: ReadonlySet<string> = new Set([MEDIA_TYPES.dockerSchema1, MEDIA_TYPES.dockerSchema1Signed]);

// RFC 6838, section 4.2: up to 127 characters on each side of the slash.
const APPLICATION = /^application\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/i;

// "Layers that need not be pushed": image-spec, "Non-Distributable Layers", and docker's older name for them.
const NON_DISTRIBUTABLE = [
  'application/vnd.oci.image.layer.nondistributable.v1.',
  'application/vnd.docker.image.rootfs.foreign.diff.',
];

/** A `Content-Type` without its parameters, which the registry SHOULD ignore ("Pushing Manifests"). */
export function withoutParameters(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim();
}

/**
 * The media type of a manifest; throws `mediaTypeInvalid` for anything but `application/*`: a `text/html` would be a
 * page on the registry's origin.
 */
export function parseManifestMediaType(contentType: string): string {
  const mediaType = withoutParameters(contentType);
  if (!APPLICATION.test(mediaType)) throw new OciError('mediaTypeInvalid', { contentType: contentType.slice(0, 200) });
  return mediaType;
}

// RFC 6838, section 3: vendors' types, personal and unregistered ones. What has no such prefix is a standard's own.
const TREES = ['vnd.', 'prs.', 'x.'];

/**
 * False for types that stand for something else than a manifest: `application/json`, forms, octets, scripts, WebAssembly,
 * XML of any kind. Their bodies would be content of this origin that browsers know what to do with.
 */
export function mayBeManifest(mediaType: string): boolean {
  const subtype = mediaType.slice('application/'.length).toLowerCase();
  if (subtype.endsWith('+xml')) return false;
  return subtype.endsWith('+json') || TREES.some((prefix) => subtype.startsWith(prefix));
}

export function manifestKindOf(mediaType: string): ManifestKind {
  return KINDS.get(mediaType) ?? 'other';
}

export function isSchema1(mediaType: string): boolean {
  return SCHEMA1.has(mediaType);
}

export function isNonDistributable(mediaType: string): boolean {
  return NON_DISTRIBUTABLE.some((prefix) => mediaType.startsWith(prefix));
}
