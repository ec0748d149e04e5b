import { OciError } from './oci-error.js';

/** Bytes of a blob or an upload, both ends inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

// "It MUST match the following regular expression: ^[0-9]+-[0-9]+$"; HTTP's own `bytes 0-4/5` does not.
const CHUNK = /^(\d{1,16})-(\d{1,16})$/;
const FIRST_LAST = /^(\d*)-(\d*)$/;

/**
 * `Content-Range` of a chunk (distribution-spec, "Pushing a blob in chunks").
 * Throws `contentRangeInvalid`; whether it starts at the upload's offset is judged where the offset is known.
 */
export function parseChunkRange(header: string): ByteRange {
  const match = CHUNK.exec(header.trim());
  const start = Number(match?.[1] ?? NaN);
  const end = Number(match?.[2] ?? NaN);
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || end < start) {
    throw new OciError('contentRangeInvalid', { contentRange: header.slice(0, 100) });
  }
  return { start, end };
}

export function rangeLength(range: ByteRange): number {
  return range.end - range.start + 1;
}

/** `Range` of an upload with this many bytes: the position of its last byte, and `0-0` while it is empty. */
export function uploadRange(offset: number): string {
  return `0-${Math.max(offset - 1, 0)}`;
}

/**
 * `Range` of a GET (RFC 9110, section 14.2). `null` means: answer 200 with everything, which the RFC allows for every
 * range that a server does not want to serve (several ranges, another unit) and asks for when the header is malformed.
 * Throws `rangeNotSatisfiable` (416) with the `Content-Range` that tells the size.
 */
export function parseByteRange(header: string | undefined, size: number): ByteRange | null {
  if (header === undefined || !/^bytes=/i.test(header)) return null;
  const match = FIRST_LAST.exec(header.slice('bytes='.length).trim());
  const [, first = '', last = ''] = match ?? [];
  if (first === '') return last === '' ? null : suffix(Number(last), size);
  const start = Number(first);
  const end = last === '' ? Infinity : Number(last);
  // Malformed for the RFC, which would have it ignored; for the specification's own suite it asks for nothing there is.
  if (end < start || start >= size) throw notSatisfiable(size);
  return { start, end: Math.min(end, size - 1) };
}

/** `Content-Range` of a 206. */
export function contentRange(range: ByteRange, size: number): string {
  return `bytes ${range.start}-${range.end}/${size}`;
}

function suffix(length: number, size: number): ByteRange | null {
  if (length === 0) throw notSatisfiable(size);
  // The last n bytes of nothing are nothing, and `Content-Range` cannot say so.
  return size === 0 ? null : { start: Math.max(size - length, 0), end: size - 1 };
}

function notSatisfiable(size: number): OciError {
  return new OciError('rangeNotSatisfiable', { size }, { headers: { 'Content-Range': `bytes */${size}` } });
}
