import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  type Descriptor,
  describeBytes,
  digestOf,
  IMAGE_CONFIG,
  IMAGE_INDEX,
  IMAGE_LAYER,
  IMAGE_MANIFEST,
  toBytes,
} from '../support/content.js';

export interface WrittenImage {
  directory: string;
  /** The tag that the layout gives the image. */
  tag: string;
  /** Of the manifest, or of the index. */
  digest: string;
}

/** Bytes of each layer before compression: two that fit into one part, and one that takes several on S3. */
export const LAYER_SIZES = [1_000, 100_000, 24 << 20];

/** Writes an OCI image layout with one image that no other test has. Its layers are real archives. */
export function writeImage(directory: string, tag = 'v1', layerSizes = LAYER_SIZES): WrittenImage {
  const manifest = writeManifest(directory, 'amd64', layerSizes);
  return finishLayout(directory, tag, manifest);
}

/** The same for an index over one image a platform. */
export function writeIndex(directory: string, tag = 'v1', architectures = ['amd64', 'arm64']): WrittenImage {
  const manifests = architectures.map((architecture) => ({
    ...writeManifest(directory, architecture, [5_000]),
    platform: { os: 'linux', architecture },
  }));
  const index = { schemaVersion: 2, mediaType: IMAGE_INDEX, manifests };
  return finishLayout(directory, tag, writeBlob(directory, IMAGE_INDEX, toBytes(index)));
}

/** The digest that the layout gives its only image, after every file in it has been hashed. */
export function readLayout(directory: string): string {
  const blobs = path.join(directory, 'blobs', 'sha256');
  for (const name of readdirSync(blobs)) {
    const actual = createHash('sha256')
      .update(readFileSync(path.join(blobs, name)))
      .digest('hex');
    if (actual !== name) throw new Error(`${name} in ${directory} has the digest ${actual}`);
  }
  const index = JSON.parse(readFileSync(path.join(directory, 'index.json'), 'utf8')) as { manifests: Descriptor[] };
  const [image, ...more] = index.manifests;
  if (image === undefined || more.length > 0) throw new Error(`${directory} has ${index.manifests.length} images`);
  return image.digest;
}

function writeManifest(directory: string, architecture: string, layerSizes: number[]): Descriptor {
  const archives = layerSizes.map((size, at) => archive(`file-${at}`, randomBytes(size)));
  const layers = archives.map((tar) => writeBlob(directory, IMAGE_LAYER, gzipSync(tar, { level: 1 })));
  const diffIds = archives.map((tar) => digestOf(tar));
  const config = { architecture, os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: diffIds } };
  const manifest = {
    schemaVersion: 2,
    mediaType: IMAGE_MANIFEST,
    config: writeBlob(directory, IMAGE_CONFIG, toBytes(config)),
    layers,
  };
  return writeBlob(directory, IMAGE_MANIFEST, toBytes(manifest));
}

function writeBlob(directory: string, mediaType: string, bytes: Buffer): Descriptor {
  const descriptor = describeBytes(mediaType, bytes);
  const blobs = path.join(directory, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  writeFileSync(path.join(blobs, descriptor.digest.slice('sha256:'.length)), bytes);
  return descriptor;
}

function finishLayout(directory: string, tag: string, image: Descriptor): WrittenImage {
  const named = { ...image, annotations: { 'org.opencontainers.image.ref.name': tag } };
  const index = { schemaVersion: 2, mediaType: IMAGE_INDEX, manifests: [named] };
  writeFileSync(path.join(directory, 'index.json'), JSON.stringify(index));
  writeFileSync(path.join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return { directory, tag, digest: image.digest };
}

const BLOCK = 512;

/** A tar archive with one file (ustar, POSIX.1-1988). */
function archive(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(BLOCK);
  const field = (text: string, at: number): void => void header.write(text, at, 'latin1');
  field(name, 0);
  field('0000644\0', 100);
  field('0000000\0', 108);
  field('0000000\0', 116);
  field(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  field('00000000000\0', 136);
  field('        ', 148); // the checksum is taken with spaces in its own place
  field('0', 156);
  field('ustar\0', 257);
  field('00', 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  field(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return Buffer.concat([header, content, padding, Buffer.alloc(2 * BLOCK)]);
}
