import { isJsonObject, type JsonObject } from './json-document.js';
import { type OciCondition, OciError } from './oci-error.js';

/** What a pushed manifest may have. A limit that is left out is none. */
export interface ManifestLimits {
  readonly maxBytes: number;
  readonly maxDepth?: number;
  /** Fields of all its objects together: what a parser pays for is names, more than bytes. */
  readonly maxFields?: number;
  /** Values of all its objects and lists together, and these themselves. */
  readonly maxValues?: number;
  /** Of all its lists together. */
  readonly maxDescriptors?: number;
  /** Of the manifest itself, and of each of its descriptors; all together may have `ALL_ANNOTATIONS` times as many. */
  readonly maxAnnotations?: number;
  /** Bytes of the manifest's own, which lists of referrers repeat. */
  readonly maxAnnotationBytes?: number;
}

/** How many times as many annotations as one object the whole manifest may have: `oras` names each file by one. */
const ALL_ANNOTATIONS = 20;

/** What a manifest is judged by that the repository does not have yet; an honest one has some dozen of everything. */
export const NEW_MANIFEST = {
  maxFields: 100_000,
  maxValues: 150_000,
  maxDescriptors: 10_000,
  // The specification wants manifests of 4 MB taken, whatever fills them.
  maxAnnotationBytes: 4 * 1024 * 1024,
} as const satisfies Partial<ManifestLimits>;

/** The limits that judge new digests only, by the condition that says so. */
const LIMITS = {
  manifestTooManyFields: 'fields',
  manifestTooManyValues: 'fields',
  manifestTooManyDescriptors: 'descriptors',
  manifestTooManyAnnotations: 'annotations',
} as const satisfies Partial<Record<OciCondition, string>>;

export type ManifestLimit = (typeof LIMITS)[keyof typeof LIMITS];

/** Which limit refused a manifest; `null` for every other error. */
export function limitOf(error: unknown): ManifestLimit | null {
  if (!(error instanceof OciError)) return null;
  return (LIMITS as Partial<Record<OciCondition, ManifestLimit>>)[error.condition] ?? null;
}

/** Fields that may be lists of descriptors. */
const LISTS = ['layers', 'manifests', 'blobs'] as const;

export function listOf(document: JsonObject, field: string): readonly unknown[] {
  const list: unknown = document[field];
  return Array.isArray(list) ? list : [];
}

/** Throws `manifestTooManyDescriptors` and `manifestTooManyAnnotations`. */
export function judgeSize(document: JsonObject, limits: ManifestLimits): void {
  const { maxDescriptors = Infinity, maxAnnotations = Infinity, maxAnnotationBytes = Infinity } = limits;
  if (LISTS.reduce((sum, field) => sum + listOf(document, field).length, 0) > maxDescriptors)
    throw new OciError('manifestTooManyDescriptors', { maxDescriptors });
  let all = 0;
  const count = (value: unknown, path: string): void => {
    const annotations = isJsonObject(value) ? value['annotations'] : null;
    if (!isJsonObject(annotations)) return;
    const { length } = Object.keys(annotations);
    all += length;
    if (length > maxAnnotations) throw tooMany({ path, maxAnnotations });
    if (all > maxAnnotations * ALL_ANNOTATIONS) throw tooMany({ maxAnnotations: maxAnnotations * ALL_ANNOTATIONS });
  };
  count(document, 'annotations');
  count(document['config'], 'config');
  count(document['subject'], 'subject');
  for (const field of LISTS) for (const value of listOf(document, field)) count(value, field);
  if (maxAnnotationBytes < Infinity && bytesIn(document['annotations']) > maxAnnotationBytes)
    throw tooMany({ path: 'annotations', maxAnnotationBytes });
}

function tooMany(detail: object): OciError {
  return new OciError('manifestTooManyAnnotations', detail);
}

function bytesIn(annotations: unknown): number {
  if (!isJsonObject(annotations)) return 0;
  let bytes = 0;
  for (const [key, text] of Object.entries(annotations))
    bytes += Buffer.byteLength(key) + (typeof text === 'string' ? Buffer.byteLength(text) : 0);
  return bytes;
}
