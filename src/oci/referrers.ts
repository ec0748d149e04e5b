import { type Annotations, readAnnotations } from './descriptor.js';
import type { Digest } from './digest.js';
import { parseJsonObject } from './json-document.js';
import type { ParsedManifest } from './manifest.js';
import { MEDIA_TYPES } from './media-type.js';

/** One entry of the referrers list, with the specification's names. */
export interface ReferrerDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Annotations;
}

/** What is known of a manifest that names a subject. */
export interface Referrer {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  /** As `referrerArtifactType` gave it. */
  readonly artifactType: string | null;
  readonly annotations: Annotations;
}

/**
 * The type that referrers are listed and filtered by: the manifest's own `artifactType`; without one, an image's config
 * media type; an index without one has none (distribution-spec, "Listing Referrers").
 */
export function referrerArtifactType(manifest: Pick<ParsedManifest, 'artifactType' | 'config'>): string | null {
  return manifest.artifactType ?? manifest.config?.mediaType ?? null;
}

export function referrerDescriptor({
  mediaType,
  digest,
  size,
  artifactType,
  annotations,
}: Referrer): ReferrerDescriptor {
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === null ? {} : { artifactType }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

/** `referrerDescriptor` as JSON, with annotations that are JSON already: they are repeated and not read. */
export function referrerText({
  annotations,
  ...rest
}: Omit<Referrer, 'annotations'> & { annotations: string }): string {
  const text = JSON.stringify(referrerDescriptor({ ...rest, annotations: {} }));
  return annotations === NO_ANNOTATIONS ? text : `${text.slice(0, -1)},"annotations":${annotations}}`;
}

/** The body of `/referrers/`: always an index, empty when there is nothing to list. `manifests` are JSON. */
export function referrersIndex(manifests: readonly string[]): string {
  const { ociIndex } = MEDIA_TYPES;
  return `{"schemaVersion":2,"mediaType":"${ociIndex}","manifests":[${manifests.join(',')}]}`;
}

/** Annotations as they are stored for lists of referrers. */
export function annotationsText(annotations: Annotations): string {
  return JSON.stringify(annotations);
}

/** The same of a stored manifest, which was judged when it was pushed. */
export function annotationsOf(bytes: Uint8Array): string {
  return annotationsText(readAnnotations(parseJsonObject(bytes, Infinity)['annotations']));
}

const NO_ANNOTATIONS = annotationsText({});
