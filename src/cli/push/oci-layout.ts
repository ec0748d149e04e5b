import { algorithmOf, type Digest, hexOf } from '../../oci/digest.js';
import { type Annotations, type Descriptor, readAnnotations, readDescriptor } from '../../oci/descriptor.js';
import { isJsonObject, parseJsonObject } from '../../oci/json-document.js';
import { type ManifestReference, parseManifest } from '../../oci/manifest.js';
import { CliError } from '../exit-codes.js';
import { chooseImage } from './choose-image.js';
import { digestOfSlice, type FileSlice, readSlice } from './file-slice.js';
import type { ImageFiles } from './image-files.js';
import type { Image, ImageBlob, ImageManifest } from './image.js';

const MAX_MANIFEST = 64 << 20;
const MAX_NESTING = 16;
const JSON_DEPTH = 64;
/** What tools write the name of an image into. */
const NAME_KEYS = ['org.opencontainers.image.ref.name', 'io.containerd.image.name'];

interface Named {
  readonly descriptor: Descriptor;
  readonly annotations: Annotations;
}

export async function readLayout(files: ImageFiles, index: FileSlice, name: string | undefined): Promise<Image> {
  const document = parseJsonObject(await readDocument(index, 'index.json'), JSON_DEPTH);
  const list: unknown[] = Array.isArray(document['manifests']) ? document['manifests'] : [];
  const images = list.map((value, position): Named => ({
    descriptor: readDescriptor(value, `index.json: manifests[${position}]`),
    annotations: readAnnotations(isJsonObject(value) ? value['annotations'] : null),
  }));
  const chosen = chooseImage(images, ({ annotations }) => NAME_KEYS.flatMap((key) => annotations[key] ?? []), name);
  return new LayoutReader(files).read(chosen.descriptor);
}

class LayoutReader {
  private readonly blobs = new Map<Digest, ImageBlob>();
  private readonly manifests = new Map<Digest, ImageManifest>();

  constructor(private readonly files: ImageFiles) {}

  async read(descriptor: Descriptor): Promise<Image> {
    const root = await this.addManifest(descriptor, 0);
    return { blobs: [...this.blobs.values()], manifests: [...this.manifests.values()], root };
  }

  /** After its children. */
  private async addManifest(descriptor: Descriptor, nesting: number): Promise<ImageManifest> {
    const { digest, mediaType } = descriptor;
    const known = this.manifests.get(digest);
    if (known) return known;
    if (nesting > MAX_NESTING) throw new CliError(`indexes are nested more than ${MAX_NESTING} deep`);
    const slice = await this.find(descriptor);
    if (slice === null) throw missing(descriptor);
    const bytes = await readDocument(slice, digest);
    if ((await digestOfSlice(slice, digest)) !== digest) throw wrongBytes(digest);
    const { references } = parseManifest(bytes, mediaType, { maxBytes: MAX_MANIFEST });
    for (const reference of references) await this.addContent(reference, nesting);
    const manifest = { digest, mediaType, bytes };
    this.manifests.set(digest, manifest);
    return manifest;
  }

  private async addContent({ content, descriptor, mustExist }: ManifestReference, nesting: number): Promise<void> {
    if (content === 'manifest') {
      await this.addManifest(descriptor, nesting + 1);
      return;
    }
    const { digest, size } = descriptor;
    const slice = await this.find(descriptor);
    if (slice !== null) this.blobs.set(digest, { digest, size, slice, isVerified: false });
    else if (mustExist) throw missing(descriptor);
  }

  private async find({ digest, size }: Descriptor): Promise<FileSlice | null> {
    const slice = await this.files.find(`blobs/${algorithmOf(digest)}/${hexOf(digest)}`);
    if (slice !== null && slice.size !== size) throw wrongBytes(digest);
    return slice;
  }
}

function missing({ digest, mediaType }: Descriptor): CliError {
  return new CliError(`${digest} (${mediaType}) is not in the layout`);
}

export function wrongBytes(digest: Digest): CliError {
  return new CliError(`the local bytes of ${digest} are others than its name says: nothing of them is pushed`);
}

export async function readDocument(slice: FileSlice, what: string): Promise<Buffer> {
  if (slice.size > MAX_MANIFEST) throw new CliError(`${what} is too large to be a manifest`);
  return readSlice(slice);
}
