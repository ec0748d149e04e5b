import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';

export const IMAGE_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const IMAGE_INDEX = 'application/vnd.oci.image.index.v1+json';
export const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const IMAGE_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
export const EMPTY_JSON = Buffer.from('{}');

export type Algorithm = 'sha256' | 'sha512';

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  artifactType?: string;
  annotations?: Record<string, string>;
  platform?: { os: string; architecture: string; variant?: string };
}

export function digestOf(bytes: string | Buffer, algorithm: Algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** A well-formed digest that nothing has. */
export function unknownDigest(algorithm: Algorithm = 'sha256'): string {
  return digestOf(randomBytes(32), algorithm);
}

export function describeBytes(mediaType: string, bytes: Buffer, algorithm: Algorithm = 'sha256'): Descriptor {
  return { mediaType, digest: digestOf(bytes, algorithm), size: bytes.length };
}

export function toBytes(manifest: object | string | Buffer): Buffer {
  if (Buffer.isBuffer(manifest)) return manifest;
  return Buffer.from(typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
}

/** A config blob that no other test has. */
export function uniqueConfig(): Buffer {
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } };
  return Buffer.from(JSON.stringify({ ...config, author: randomBytes(16).toString('hex') }));
}

/**
 * `size` bytes that are the same for the same seed, made as they are read, and never all in memory.
 * Their digest comes from `digestOfStream(() => generatedBytes(seed, size))`.
 */
export function generatedBytes(seed: string, size: number): Readable {
  const block = Buffer.alloc(1 << 20);
  let filled = 0;
  for (let i = 0; filled < block.length; i++)
    filled += createHash('sha256').update(`${seed}${i}`).digest().copy(block, filled);
  function* blocks(): Generator<Buffer> {
    for (let at = 0; at < size; at += block.length) {
      const piece = Buffer.from(block.subarray(0, Math.min(block.length, size - at)));
      // Each block differs from the last, so that a block lost, doubled or moved changes the digest.
      if (piece.length >= 8) piece.writeBigUInt64BE(BigInt(at));
      yield piece;
    }
  }
  return Readable.from(blocks(), { objectMode: false, highWaterMark: block.length });
}

export async function digestOfStream(stream: Readable, algorithm: Algorithm = 'sha256'): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return `${algorithm}:${hash.digest('hex')}`;
}
