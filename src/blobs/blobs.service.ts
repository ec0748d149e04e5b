import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { RepositoryFact } from '../http/request-context.js';
import type { ByteRange } from '../oci/content-range.js';
import type { Digest } from '../oci/digest.js';
import { OciError } from '../oci/oci-error.js';
import { BlobStore } from '../storage/blob-store.js';
import { parseObjectKey } from '../storage/object-keys.js';
import { ObjectNotFound, StorageError } from '../storage/storage-errors.js';
import { BlobUrls } from './blob-urls.js';
import { ContentService } from './content.service.js';
import type { HeldBlob } from './content.repository.js';

/** Blobs as a repository holds them, for those who read. */
@Injectable()
export class BlobsService {
  constructor(
    private readonly content: ContentService,
    private readonly store: BlobStore,
    private readonly urls: BlobUrls,
  ) {}

  /** Throws `blobUnknown`, also for a blob that only other repositories hold. */
  async find(repository: RepositoryFact, digest: Digest): Promise<HeldBlob> {
    const blob = await this.content.find(repository, digest);
    if (!blob) throw new OciError('blobUnknown', { digest });
    return blob;
  }

  /** Where the client should fetch it by itself; `null` when this node has to stream. */
  urlFor(blob: HeldBlob, address: string | undefined): Promise<URL | null> {
    return this.urls.find(parseObjectKey(blob.storageKey), address);
  }

  /** The bytes; the caller reads or destroys the stream. */
  async open(blob: HeldBlob, range: ByteRange | null, signal: AbortSignal): Promise<Readable> {
    const options = range ? { range: { first: range.start, last: range.end }, signal } : { signal };
    try {
      return await this.store.open(parseObjectKey(blob.storageKey), options);
    } catch (error) {
      if (error instanceof ObjectNotFound || !(error instanceof StorageError)) throw error;
      throw new OciError('unavailable', undefined, { cause: error });
    }
  }

  /**
   * All bytes of a small blob; `null` when the repository does not hold it or it is larger. Throws what `open` throws, and
   * the signal's reason.
   */
  async readSmall(
    repository: RepositoryFact,
    digest: Digest,
    { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
  ): Promise<Buffer | null> {
    const blob = await this.content.find(repository, digest);
    if (!blob || blob.size > maxBytes) return null;
    const chunks: Buffer[] = [];
    for await (const chunk of await this.open(blob, null, signal)) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }
}
