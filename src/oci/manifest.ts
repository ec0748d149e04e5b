import {
  type Annotations,
  type Descriptor,
  descriptorOrNull,
  isPrintable,
  readAnnotations,
  readDescriptor,
} from './descriptor.js';
import type { Digest } from './digest.js';
import { isJsonObject, type JsonObject, parseJsonObject } from './json-document.js';
import { judgeSize, listOf, type ManifestLimits } from './manifest-limits.js';
import {
  isNonDistributable,
  isSchema1,
  type ManifestKind,
  manifestKindOf,
  mayBeManifest,
  parseManifestMediaType,
} from './media-type.js';
import { OciError } from './oci-error.js';

/** What a descriptor stands for in its manifest. */
export type ReferenceRole = 'config' | 'layer' | 'blob' | 'manifest';

export interface ManifestReference {
  readonly role: ReferenceRole;
  readonly descriptor: Descriptor;
  /**
   * Where the content is looked for. `any`: a manifest if the repository has one of this digest, else a blob, since
   * BuildKit's caches are indexes of layers and unknown types MUST NOT generate an error.
   */
  readonly content: 'blob' | 'manifest' | 'any';
  /** False for layers that are not distributed, and where the meaning of a field is not known. */
  readonly mustExist: boolean;
}

/** What the registry understands of a manifest; the bytes themselves are stored as they came. */
export interface ParsedManifest {
  readonly mediaType: string;
  readonly kind: ManifestKind;
  /** As the manifest itself says it; referrers fall back to the config's media type. */
  readonly artifactType: string | null;
  readonly config: Descriptor | null;
  /** A weak link: it need not exist, and it may be deleted. */
  readonly subject: Descriptor | null;
  /** Every other descriptor, in the manifest's order; one digest may occur several times. */
  readonly references: readonly ManifestReference[];
  readonly annotations: Annotations;
}

const MAX_DEPTH = 64;

/**
 * Reads a pushed manifest. Throws the `manifest…`, `mediaType…` and `descriptorInvalid` conditions.
 * `contentType` is the request's header; without one the document's own `mediaType` counts.
 */
export function parseManifest(
  bytes: Uint8Array,
  contentType: string | undefined,
  limits: ManifestLimits,
): ParsedManifest {
  if (bytes.length > limits.maxBytes) throw new OciError('manifestTooLarge', { maxBytes: limits.maxBytes });
  const declared = contentType === undefined ? null : parseManifestMediaType(contentType);
  const document = parseJsonObject(bytes, limits.maxDepth ?? MAX_DEPTH, limits);
  const mediaType = agreedMediaType(declared, document);
  refuseSchema1(mediaType, document);
  if (!mayBeManifest(mediaType)) throw new OciError('mediaTypeForeign', { contentType: mediaType });
  judgeSize(document, limits);
  return understand(document, mediaType);
}

/** One that is stored under this type: it was judged by the rules of its push, whatever they are today. */
export function parseStoredManifest(bytes: Uint8Array, mediaType: string): ParsedManifest {
  return understand(parseJsonObject(bytes, MAX_DEPTH), mediaType);
}

function understand(document: JsonObject, mediaType: string): ParsedManifest {
  const kind = manifestKindOf(mediaType);
  const references = REFERENCES[kind](document);
  const isKnown = kind !== 'other';
  return {
    mediaType,
    kind,
    artifactType: readArtifactType(document, isKnown),
    config: references.find(({ role }) => role === 'config')?.descriptor ?? null,
    subject: readSubject(document, isKnown),
    references,
    annotations: isKnown ? strictAnnotations(document) : readAnnotations(document['annotations']),
  };
}

/** Bytes of everything that a manifest names, each digest once, itself and its subject not counted. */
export function contentSizeOf(manifest: ParsedManifest): number {
  const sizes = new Map<Digest, number>();
  for (const { descriptor } of manifest.references) sizes.set(descriptor.digest, descriptor.size);
  // Sizes of content that need not exist are only claims: their sum must still fit its column.
  return [...sizes.values()].reduce((sum, size) => Math.min(sum + size, Number.MAX_SAFE_INTEGER), 0);
}

function agreedMediaType(declared: string | null, document: JsonObject): string {
  const own = document['mediaType'] ?? null;
  if (own === null) {
    if (declared === null)
      throw new OciError('mediaTypeInvalid', { reason: 'neither Content-Type nor mediaType is given' });
    return declared;
  }
  if (typeof own !== 'string') throw new OciError('mediaTypeMismatch', { contentType: declared });
  const mediaType = declared ?? parseManifestMediaType(own);
  if (own !== mediaType) {
    const detail = { contentType: declared, mediaType: own.slice(0, 200) };
    throw new OciError('mediaTypeMismatch', detail, { reason: detail.mediaType });
  }
  return mediaType;
}

function refuseSchema1(mediaType: string, document: JsonObject): void {
  const looksSo = document['schemaVersion'] === 1 && 'fsLayers' in document;
  if (isSchema1(mediaType) || looksSo) throw new OciError('manifestSchema1');
}

type ReadReferences = (document: JsonObject) => ManifestReference[];

const REFERENCES: Record<ManifestKind, ReadReferences> = {
  image(document) {
    requireSchemaVersion2(document);
    refuseFields(document, ['manifests']);
    const config = reference('config', readDescriptor(document['config'], 'config'));
    return [config, ...readList(document, 'layers', 'layer')];
  },
  index(document) {
    requireSchemaVersion2(document);
    refuseFields(document, ['config', 'layers']);
    // REQUIRED by the image-spec, though it may be empty; Go writes an empty list as null.
    if (!('manifests' in document)) throw new OciError('manifestInvalid', { path: 'manifests', reason: 'is missing' });
    return readList(document, 'manifests', 'manifest');
  },
  artifact(document) {
    refuseFields(document, ['manifests']);
    return readList(document, 'blobs', 'blob');
  },
  // Any JSON object is taken. What looks like a descriptor in a usual place keeps its content alive, no more.
  other(document) {
    const found = (field: string, role: ReferenceRole): ManifestReference[] =>
      listOf(document, field).flatMap((value) => {
        const descriptor = descriptorOrNull(value);
        return descriptor === null ? [] : [{ role, descriptor, content: 'any', mustExist: false }];
      });
    const config = descriptorOrNull(document['config']);
    return [
      ...(config === null ? [] : [{ role: 'config', descriptor: config, content: 'any', mustExist: false } as const]),
      ...found('layers', 'layer'),
      ...found('blobs', 'blob'),
      ...found('manifests', 'manifest'),
    ];
  },
};

function reference(role: ReferenceRole, descriptor: Descriptor): ManifestReference {
  const { mediaType, external } = descriptor;
  if (role === 'manifest') {
    return { role, descriptor, content: manifestKindOf(mediaType) === 'other' ? 'any' : 'manifest', mustExist: true };
  }
  const mustExist = role === 'config' || !(external || isNonDistributable(mediaType));
  return { role, descriptor, content: 'blob', mustExist };
}

function readList(document: JsonObject, field: string, role: ReferenceRole): ManifestReference[] {
  const list = document[field] ?? [];
  if (!Array.isArray(list)) throw new OciError('manifestInvalid', { path: field, reason: 'must be an array' });
  return listOf(document, field).map((value, index) => reference(role, readDescriptor(value, `${field}[${index}]`)));
}

function requireSchemaVersion2(document: JsonObject): void {
  if (document['schemaVersion'] !== 2) throw new OciError('manifestSchemaVersion');
}

/** A document that is an image to one client and an index to another hides content (CVE-2021-41190). */
function refuseFields(document: JsonObject, fields: readonly string[]): void {
  const field = fields.find((name) => (document[name] ?? null) !== null);
  if (field !== undefined)
    throw new OciError('manifestInvalid', { path: field, reason: 'does not belong to this media type' });
}

function readArtifactType(document: JsonObject, isKnown: boolean): string | null {
  const value = document['artifactType'] ?? '';
  if (value === '') return null;
  if (isPrintable(value)) return value;
  if (isKnown) throw new OciError('manifestInvalid', { path: 'artifactType', reason: 'must be a media type' });
  return null;
}

function readSubject(document: JsonObject, isKnown: boolean): Descriptor | null {
  const value = document['subject'] ?? null;
  if (value === null) return null;
  return isKnown ? readDescriptor(value, 'subject') : descriptorOrNull(value);
}

function strictAnnotations(document: JsonObject): Annotations {
  const value = document['annotations'] ?? {};
  const isMap = isJsonObject(value) && Object.values(value).every((text) => typeof text === 'string');
  if (!isMap) throw new OciError('manifestInvalid', { path: 'annotations', reason: 'must map strings to strings' });
  return readAnnotations(value);
}
