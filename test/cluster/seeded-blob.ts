import { createCipheriv, createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { digestOf } from '../support/content.js';

/** Bytes that can be read again from anywhere, for a push that goes on. */
export interface Blob {
  readonly digest: string;
  readonly size: number;
  /** The bytes from `start` up to but not including `end`. */
  read(start: number, end: number): Readable;
}

const PIECE = 256 * 1024;
const BLOCK = 16;
const ZEROS = Buffer.alloc(PIECE);

/** The key stream of AES in counter mode: a gigabyte of it differs everywhere, and none is kept. */
function* keyStream(seed: string, start: number, end: number): Generator<Buffer> {
  const counter = Buffer.alloc(BLOCK);
  counter.writeBigUInt64BE(BigInt(Math.floor(start / BLOCK)), 8);
  const cipher = createCipheriv('aes-128-ctr', createHash('sha256').update(seed).digest().subarray(0, 16), counter);
  cipher.update(ZEROS.subarray(0, start % BLOCK));
  for (let at = start; at < end; at += PIECE) yield cipher.update(ZEROS.subarray(0, Math.min(PIECE, end - at)));
}

/** `size` bytes that are the same for the same seed and unlike those of any other; none of them is kept. */
export function seededBlob(seed: string, size: number): Blob {
  const hash = createHash('sha256');
  for (const piece of keyStream(seed, 0, size)) hash.update(piece);
  return {
    digest: `sha256:${hash.digest('hex')}`,
    size,
    read: (start, end) => Readable.from(keyStream(seed, start, end), { objectMode: false, highWaterMark: PIECE }),
  };
}

export function blobOf(bytes: Buffer): Blob {
  return {
    digest: digestOf(bytes),
    size: bytes.length,
    read: (start, end) => Readable.from([bytes.subarray(start, end)], { objectMode: false }),
  };
}
