import { OciError } from './oci-error.js';

/** Bytes of a blob or an upload, both ends inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

// "It MUST match the following regular expression: ^[0-9]+-[0-9]+$"; HTTP's own `bytes 0-4/5` does not.
const CHUNK = /^(\d{1,16})-(\d{1,16})$/;
const UNIT = /^bytes=/i;
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
 * range that a server does not want to serve (another unit) and asks for when the header is malformed.
 * Throws `rangeNotSatisfiable` (416) with the `Content-Range` that tells the size.
 */
export function parseByteRange(header: string | undefined, size: number): ByteRange | null {
  if (header === undefined || !UNIT.test(header)) return null;
  const range = find(header.slice('bytes='.length).trim(), size);
  if (range === 'nowhere') throw notSatisfiable(size);
  return range;
}

/** Ranges that one request may ask for: podman asks for up to 1,024 at a time. */
export const MAX_RANGES = 1024;

/**
 * All ranges of a GET, in the order asked for; see `parseByteRange` for one. Those outside of the blob are left out when
 * others are inside. `null` also for more than `MAX_RANGES`, for ranges that are together longer than the blob, and for a
 * malformed one among several: RFC 9110, section 14.2, lets a server answer these with everything.
 */
export function parseByteRanges(header: string | undefined, size: number): readonly ByteRange[] | null {
  if (!header?.includes(',')) return oneOf(parseByteRange(header, size));
  if (!UNIT.test(header)) return null;
  // Empty elements of a list count for nothing (RFC 9110, section 5.6.1.2).
  const specs = header
    .slice('bytes='.length)
    .split(',')
    .map((spec) => spec.trim())
    .filter((spec) => spec !== '');
  if (specs.length < 2) return oneOf(parseByteRange(`bytes=${specs.join()}`, size));
  if (specs.length > MAX_RANGES || !specs.every(isWellFormed)) return null;
  const found = specs.map((spec) => find(spec, size));
  const ranges = found.filter((range) => range !== null && range !== 'nowhere');
  if (ranges.length === 0) throw notSatisfiable(size);
  const length = ranges.reduce((sum, range) => sum + rangeLength(range), 0);
  return length > size ? null : ranges;
}

function oneOf(range: ByteRange | null): readonly ByteRange[] | null {
  return range && [range];
}

/** What a single range asks for; `null` when it is malformed, `nowhere` when it asks for nothing that there is. */
function find(spec: string, size: number): ByteRange | 'nowhere' | null {
  const [, first = '', last = ''] = FIRST_LAST.exec(spec) ?? [];
  if (first === '') return last === '' ? null : suffix(Number(last), size);
  const start = Number(first);
  const end = last === '' ? Infinity : Number(last);
  // Malformed for the RFC, which would have it ignored; for the specification's own suite it asks for nothing there is.
  if (end < start || start >= size) return 'nowhere';
  return { start, end: Math.min(end, size - 1) };
}

function isWellFormed(spec: string): boolean {
  const [, first = '', last = ''] = FIRST_LAST.exec(spec) ?? [];
  if (first === '') return last !== '';
  return last === '' || Number(first) <= Number(last);
}

/** `Content-Range` of a 206. */
export function contentRange(range: ByteRange, size: number): string {
  return `bytes ${range.start}-${range.end}/${size}`;
}

function suffix(length: number, size: number): ByteRange | 'nowhere' | null {
  if (length === 0) return 'nowhere';
  // The last n bytes of nothing are nothing, and `Content-Range` cannot say so.
  return size === 0 ? null : { start: Math.max(size - length, 0), end: size - 1 };
}

function notSatisfiable(size: number): OciError {
  return new OciError('rangeNotSatisfiable', { size }, { headers: { 'Content-Range': `bytes */${size}` } });
}
