import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import { AppConfig } from '../../config/config.js';
import { ApiError } from '../../http/errors/api-error.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { DIRECT_UPLOADS } from '../uploads/upload-counts.js';
import { type Digest, hexOf } from '../../oci/digest.js';
import { BlobStore } from '../../storage/blob-store.js';
import type { DirectUploads, PartSizes, SignedRequest } from '../../storage/direct-uploads.js';
import { objectKeyOf } from '../../storage/object-keys.js';
import { ObjectTooLarge } from '../../storage/storage-errors.js';
import { BlobUrls } from '../blobs/blob-urls.js';
import { fitsOnePut, putKeyOf, urlSeconds } from './direct-objects.js';
import { DirectUploadsRepository, type NewDirectUpload } from './direct-uploads.repository.js';
import { OpenUploads } from '../uploads/open-uploads/open-uploads.service.js';

/** What a client wants to bring. */
export interface AnnouncedBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Asked for, to send them in parallel. */
  readonly inParts: boolean;
}

/** A direct upload as its client learns of it: it sends the one PUT, or asks for the requests of the parts. */
export interface StartedUpload {
  readonly id: string;
  readonly digest: Digest;
  readonly size: number;
  readonly expiresAt: Date;
  readonly put: SignedRequest | null;
  readonly parts: PartSizes | null;
}

/** Begins uploads whose bytes go from the client to the store. */
@Injectable()
export class DirectUploadStart {
  private readonly expirySeconds: number;

  constructor(
    private readonly uploads: DirectUploadsRepository,
    private readonly store: BlobStore,
    private readonly urls: BlobUrls,
    private readonly open: OpenUploads,
    { storage }: AppConfig,
  ) {
    this.expirySeconds = storage.uploadExpirySeconds;
  }

  /** Throws `directUploadsUnavailable` for a client that cannot reach the store, or a store that takes no such upload. */
  require(address: string | null): DirectUploads {
    const { direct } = this.store;
    if (!direct) throw new ApiError('directUploadsUnavailable', 'blobs are kept on the registry’s own disk');
    if (this.urls.mayReach(address ?? undefined)) return direct;
    throw new ApiError('directUploadsUnavailable', 'clients at your address are not sent to the store');
  }

  /** The row exists before a client can write to its object. Throws `blobTooLarge` and `tooManyUploads`. */
  async start(repository: RepositoryFact, actor: Actor, blob: AnnouncedBlob): Promise<StartedUpload> {
    const direct = this.require(actor.address);
    const sizes = sizesOf(direct, blob.size);
    const isOnePut = await this.isOnePut(direct, blob);
    const { digest, size } = blob;
    const { principal, credential, address } = actor;
    const plan = { size, partBytes: isOnePut ? null : sizes.bytes, address };
    const key = { id: randomUUID(), repoId: repository.id, principal };
    const row = { ...key, credential, digest, plan, expirySeconds: this.expirySeconds };
    const expiresAt = await this.open.begin(principal, NO_DRAFTS, () => this.uploads.start(row));
    DIRECT_UPLOADS.add('started');
    const started = { id: key.id, digest, size, expiresAt };
    if (!isOnePut) {
      await this.begin(direct, row);
      return { ...started, put: null, parts: sizes };
    }
    const bytes = { size, sha256Hex: hexOf(digest), ttlSeconds: urlSeconds(this.expirySeconds) };
    return { ...started, put: await direct.signPut(putKeyOf(key.id), bytes), parts: null };
  }

  /** Not for a store that was not seen to verify a PUT: a holder of its URL could replace the bytes later. */
  private async isOnePut(direct: DirectUploads, { digest, size, inParts }: AnnouncedBlob): Promise<boolean> {
    const mayBeOne = fitsOnePut(direct, digest, size) && (!inParts || size === 0);
    if (mayBeOne && (await direct.verifiesPut())) return true;
    if (size === 0) throw new ApiError('directUploadsUnavailable', 'an empty blob has no parts');
    return false;
  }

  private async begin(direct: DirectUploads, row: NewDirectUpload): Promise<void> {
    try {
      const writer = await direct.begin(objectKeyOf(row.id));
      if (!(await this.uploads.keepWriter(row, writer))) throw new ApiError('unavailable');
    } catch (error) {
      // The upload stays unknown to clients; when the row expires, the sweep removes what the store may have begun.
      await this.uploads.cancel(row).catch(() => undefined);
      throw error;
    }
  }
}

const NO_DRAFTS = () => ({ uploads: 0, bytes: 0 });

function sizesOf(direct: DirectUploads, size: number): PartSizes {
  try {
    return direct.partSizes(size);
  } catch (error) {
    if (error instanceof ObjectTooLarge) throw new ApiError('blobTooLarge', error.message);
    throw error;
  }
}
