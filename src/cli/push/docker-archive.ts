import { createHash } from 'node:crypto';
import { isJsonObject, parseJsonObject } from '../../oci/json-document.js';
import { type Digest, digestFrom } from '../../oci/digest.js';
import { CliError } from '../exit-codes.js';
import { chooseImage } from './choose-image.js';
import { digestOfSlice, openSlice, readSlice, type FileSlice } from './file-slice.js';
import type { ImageFiles } from './image-files.js';
import type { Image, ImageBlob } from './image.js';
import { readDocument, wrongBytes } from './oci-layout.js';

const TYPES = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  gzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  plain: 'application/vnd.docker.image.rootfs.diff.tar',
} as const;
const JSON_DEPTH = 64;
const ANY_SHA256 = `sha256:${'0'.repeat(64)}` as Digest;

interface SavedImage {
  readonly Config: string;
  readonly RepoTags: readonly string[];
  readonly Layers: readonly string[];
}

/**
 * What `docker save` wrote before it wrote layouts too. Layers stay as they are, and the manifest is made from them:
 * the same archive always gives the same digest.
 */
export async function readDockerArchive(files: ImageFiles, list: FileSlice, name: string | undefined): Promise<Image> {
  const image = chooseImage(parseList(await readDocument(list, 'manifest.json')), ({ RepoTags }) => RepoTags, name);
  const configSlice = await find(files, image.Config);
  const config = await blobOf(configSlice);
  const diffIds = readDiffIds(await readSlice(configSlice));
  const layers: (ImageBlob & { mediaType: string })[] = [];
  for (const [position, layer] of image.Layers.entries()) {
    const slice = await find(files, layer);
    const blob = await blobOf(slice);
    const mediaType = (await isGzip(slice)) ? TYPES.gzip : TYPES.plain;
    if (mediaType === TYPES.plain && blob.digest !== diffIds[position]) throw wrongBytes(blob.digest);
    layers.push({ ...blob, mediaType });
  }
  if (layers.length !== diffIds.length) throw new CliError(`${image.Config} names ${diffIds.length} layers`);
  const described = ({ digest, size }: ImageBlob, mediaType: string): object => ({ mediaType, size, digest });
  const document = {
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    config: described(config, TYPES.config),
    layers: layers.map((layer) => described(layer, layer.mediaType)),
  };
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = digestFrom('sha256', createHash('sha256').update(bytes).digest());
  const root = { digest, mediaType: TYPES.manifest, bytes };
  const blobs = new Map([config, ...layers].map((blob) => [blob.digest, blob]));
  return { blobs: [...blobs.values()], manifests: [root], root };
}

async function blobOf(slice: FileSlice): Promise<ImageBlob> {
  return { digest: await digestOfSlice(slice, ANY_SHA256), size: slice.size, slice, isVerified: true };
}

async function find(files: ImageFiles, name: string): Promise<FileSlice> {
  const slice = await files.find(name);
  if (slice === null) throw new CliError(`${name} is not in the archive`);
  return slice;
}

async function isGzip(slice: FileSlice): Promise<boolean> {
  for await (const chunk of openSlice(slice, 0, Math.min(2, slice.size))) {
    return (chunk as Buffer).equals(Buffer.from([0x1f, 0x8b]));
  }
  return false;
}

function parseList(bytes: Buffer): SavedImage[] {
  // The list stands for itself in the file, and the reader of documents wants an object.
  const document = parseJsonObject(Buffer.from(`{"images":${bytes.toString()}}`), JSON_DEPTH);
  const images: unknown[] = Array.isArray(document['images']) ? document['images'] : [];
  return images.map((image) => {
    if (!isJsonObject(image) || typeof image['Config'] !== 'string') throw new CliError('manifest.json is wrong');
    return { Config: image['Config'], RepoTags: texts(image['RepoTags']), Layers: texts(image['Layers']) };
  });
}

function readDiffIds(config: Buffer): string[] {
  const { rootfs } = parseJsonObject(config, JSON_DEPTH);
  return isJsonObject(rootfs) ? texts(rootfs['diff_ids']) : [];
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
