import { createHash } from 'node:crypto';
import { IMAGE_CONFIG, IMAGE_LAYER, IMAGE_MANIFEST } from '../support/content.js';
import { type Blob, blobOf, seededBlob } from './seeded-blob.js';

export interface Image {
  readonly repository: string;
  readonly tag: string;
  readonly manifest: Blob;
  /** Config and layers, in the order in which they are pushed. */
  readonly blobs: readonly Blob[];
}

const SMALLEST_LAYER = 1024;
const MOST_LAYERS = 5;

/** A number from 0 up to 1 that is the same for the same name. */
export function chance(name: string): number {
  return createHash('sha256').update(name).digest().readUInt32BE() / 2 ** 32;
}

/** An image of 1 to 5 layers, 1 KiB to `largestLayer` each (log-uniform), which follow from its name alone. */
export function imageNamed(repository: string, tag: string, largestLayer: number): Image {
  const name = `${repository}:${tag}`;
  const count = 1 + Math.floor(chance(`${name} layers`) * MOST_LAYERS);
  const layers = Array.from({ length: count }, (_, at) => {
    const size = SMALLEST_LAYER * (largestLayer / SMALLEST_LAYER) ** chance(`${name} size ${at}`);
    return seededBlob(`${name} layer ${at}`, Math.round(size));
  });
  const config = blobOf(Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', author: name })));
  const manifest = manifestOf(config, layers);
  return { repository, tag, manifest, blobs: [config, ...layers] };
}

export function manifestOf(config: Blob, layers: readonly Blob[], annotations: Record<string, string> = {}): Blob {
  const describe = (mediaType: string) => (blob: Blob) => ({ mediaType, digest: blob.digest, size: blob.size });
  const document = {
    schemaVersion: 2,
    mediaType: IMAGE_MANIFEST,
    config: describe(IMAGE_CONFIG)(config),
    layers: layers.map(describe(IMAGE_LAYER)),
    annotations,
  };
  return blobOf(Buffer.from(JSON.stringify(document)));
}
