import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { RepositoryFact } from '../../access/repository-fact.js';
import type { ByteRange } from '../../oci/content-range.js';
import type { Digest } from '../../oci/digest.js';
import { OciError } from '../../oci/oci-error.js';
import { BlobStore } from '../../storage/blob-store.js';
import { parseObjectKey } from '../../storage/object-keys.js';
import { ObjectNotFound, ObjectSizeDiffers, StorageError } from '../../storage/storage-errors.js';
import { BlobUrls } from './blob-urls.js';
import { ContentService } from './content.service.js';
import type { HeldBlob } from './content.repository.js';
import { BlobDamage } from './damage/blob-damage.service.js';
import type { DamageFinder } from './damage/damaged-blob.entity.js';

/** Blobs as a repository holds them, for those who read. */
@Injectable()
export class BlobsService {
  constructor(
    private readonly content: ContentService,
    private readonly store: BlobStore,
    private readonly urls: BlobUrls,
    private readonly damage: BlobDamage,
  ) {}

  /** Throws `blobUnknown`, also for a blob that only other repositories hold. */
  async find(repository: RepositoryFact, digest: Digest): Promise<HeldBlob> {
    const blob = await this.content.find(repository, digest);
    if (!blob) throw new OciError('blobUnknown', { digest });
    return blob;
  }

  /** Where the client should fetch it by itself; `null` when this node has to stream. Throws what `open` throws. */
  async urlFor(digest: Digest, blob: HeldBlob, address: string | undefined): Promise<URL | null> {
    try {
      return await this.urls.find(parseObjectKey(blob.storageKey), blob.size, address);
    } catch (error) {
      throw await this.failure(error, digest, blob, 'url');
    }
  }

  /**
   * The bytes; the caller reads or destroys the stream. Throws `unavailable`, and `blobUnknown` when the object is not as
   * it was stored: the blob is marked as damaged then. `isLookedAt` is false for further ranges of one answer: an object
   * that has become shorter ends the stream too early.
   */
  async open(
    digest: Digest,
    blob: HeldBlob,
    range: ByteRange | null,
    signal: AbortSignal,
    isLookedAt = true,
  ): Promise<Readable> {
    const part = range && { first: range.start, last: range.end };
    const whole = isLookedAt ? { signal, size: blob.size } : { signal };
    const options = part ? { ...whole, range: part } : whole;
    try {
      return await this.store.open(parseObjectKey(blob.storageKey), options);
    } catch (error) {
      throw await this.failure(error, digest, blob, 'pull');
    }
  }

  /** `null` when the repository does not hold it, or when it is larger. */
  async findSmall(repository: RepositoryFact, digest: Digest, maxBytes: number): Promise<HeldBlob | null> {
    const blob = await this.content.find(repository, digest);
    return blob && blob.size <= maxBytes ? blob : null;
  }

  /** All bytes of a small blob. Throws what `open` throws, and the signal's reason. */
  async readSmall(digest: Digest, blob: HeldBlob, signal: AbortSignal): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of await this.open(digest, blob, null, signal)) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  /** What to throw instead of the store's error. */
  private async failure(error: unknown, digest: Digest, blob: HeldBlob, foundBy: DamageFinder): Promise<unknown> {
    if (error instanceof ObjectNotFound || error instanceof ObjectSizeDiffers) {
      const kind = error instanceof ObjectNotFound ? 'missing' : 'size';
      const mark = await this.damage.mark(blob, kind, foundBy);
      // Otherwise it has been pushed again at this very moment: the next request finds it.
      return mark === 'gone'
        ? new OciError('unavailable', undefined, { cause: error })
        : new OciError('blobUnknown', { digest });
    }
    return error instanceof StorageError ? new OciError('unavailable', undefined, { cause: error }) : error;
  }
}
