import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { algorithmOf, type Digest, digestFrom } from '../../oci/digest.js';

/** A part of a local file: a blob of a layout, or an entry of an archive. It is read where it is, never unpacked. */
export interface FileSlice {
  readonly file: string;
  readonly start: number;
  /** Bytes. */
  readonly size: number;
}

const READ_BYTES = 256 * 1024;

/** The bytes from `from` up to, and without, `to`; both count from the start of the slice. */
export function openSlice(slice: FileSlice, from = 0, to = slice.size): Readable {
  if (to <= from) return Readable.from([]);
  const place = { start: slice.start + from, end: slice.start + to - 1 };
  return createReadStream(slice.file, { ...place, highWaterMark: READ_BYTES });
}

export async function readSlice(slice: FileSlice): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of openSlice(slice)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** With the algorithm of `like`; of a part of the slice, when one is named. */
export async function digestOfSlice(slice: FileSlice, like: Digest, from = 0, to = slice.size): Promise<Digest> {
  const algorithm = algorithmOf(like);
  const hash = createHash(algorithm);
  for await (const chunk of openSlice(slice, from, to)) hash.update(chunk as Buffer);
  return digestFrom(algorithm, hash.digest());
}
