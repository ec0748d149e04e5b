import { type Digest, isDigest } from './digest.js';
import { isJsonObject } from './json-document.js';
import { OciError } from './oci-error.js';

/** image-spec, "OCI Content Descriptors": the fields that the registry uses. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly platform: Platform | null;
  /** Whether the content may be fetched from elsewhere (`urls`). */
  readonly external: boolean;
}

export interface Platform {
  readonly os: string | null;
  readonly architecture: string | null;
  readonly variant: string | null;
}

export type Annotations = Readonly<Record<string, string>>;

// Looser than RFC 6838, since old tools write odd types, but printable: types go into headers, columns and pages.
const PRINTABLE = /^[\x21-\x7e][\x20-\x7e]{0,254}$/;

export function isPrintable(value: unknown): value is string {
  return typeof value === 'string' && PRINTABLE.test(value);
}

/** Throws `descriptorInvalid` with the path of the wrong field, such as `layers[2].size`. */
export function readDescriptor(value: unknown, path: string): Descriptor {
  if (!isJsonObject(value)) throw invalid(path, 'must be an object');
  const { mediaType, digest, size, urls } = value;
  if (!isPrintable(mediaType)) throw invalid(`${path}.mediaType`, 'must be a media type');
  if (typeof digest !== 'string' || !isDigest(digest))
    throw invalid(`${path}.digest`, 'must be a sha256 or sha512 digest');
  if (!isSize(size)) throw invalid(`${path}.size`, 'must be a non-negative integer');
  return {
    mediaType,
    digest,
    size,
    platform: readPlatform(value['platform']),
    external: Array.isArray(urls) && urls.length > 0,
  };
}

/** For documents of unknown types, where a field that looks like a descriptor need not be one. */
export function descriptorOrNull(value: unknown): Descriptor | null {
  try {
    return readDescriptor(value, '');
  } catch (error) {
    if (error instanceof OciError) return null;
    throw error;
  }
}

/** The entries whose values are strings; Object.fromEntries makes `__proto__` a key like another. */
export function readAnnotations(value: unknown): Annotations {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** The first of them, as far as neither their number nor the bytes of their texts pass these bounds. */
export function firstAnnotations(annotations: Annotations, most: { entries: number; bytes: number }): Annotations {
  const entries = Object.entries(annotations);
  let bytes = 0;
  const end = entries.findIndex(([key, text], index) => {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(text);
    return index === most.entries || bytes > most.bytes;
  });
  return end === -1 ? annotations : Object.fromEntries(entries.slice(0, end));
}

/** A descriptor's `platform`, or an image config, which has fields of the same names; `null` for what is no object. */
export function readPlatform(value: unknown): Platform | null {
  if (!isJsonObject(value)) return null;
  const text = (field: unknown) => (isPrintable(field) ? field : null);
  return { os: text(value['os']), architecture: text(value['architecture']), variant: text(value['variant']) };
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function invalid(path: string, reason: string): OciError {
  return new OciError('descriptorInvalid', { path, reason });
}
