import { Injectable, Logger } from '@nestjs/common';
import { DIRECT_UPLOADS, STREAMED_UPLOADS } from './upload-counts.js';
import { OciError } from '../../oci/oci-error.js';
import { BlobStore } from '../../storage/blob-store.js';
import type { ObjectKey } from '../../storage/object-keys.js';
import { CommitTransaction, type StoredUpload } from '../blobs/commit-transaction.service.js';
import { BlobDamage } from '../blobs/damage/blob-damage.service.js';
import { uploadFailure } from './upload-failures.js';

/** A blob changes under a commit when others mark or push it at the same time. */
const ATTEMPTS = 5;

/** Makes an upload a blob. An upload of a digest that is known already gives way only to an object that is whole. */
@Injectable()
export class UploadCommit {
  private readonly logger = new Logger(UploadCommit.name);

  constructor(
    private readonly transaction: CommitTransaction,
    private readonly damage: BlobDamage,
    private readonly store: BlobStore,
  ) {}

  /**
   * False when the upload has passed to a later epoch: then nothing has changed. Nor has it when this throws
   * `unavailable`, because the object that is there already could not be looked at or the store is not the database's, or
   * what the guard throws when the caller may not push any more.
   */
  async commit(upload: StoredUpload): Promise<boolean> {
    // Bytes that a client brought itself are in the store already.
    if (this.store.refusal) throw uploadFailure(this.store.refusal);
    let judged: string | null = null;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await upload.authorization.renew();
      const blob = await this.transaction.run(upload, this.store.driver, judged);
      if (!blob) return false;
      if (blob.isDone) {
        (upload.actor ? DIRECT_UPLOADS : STREAMED_UPLOADS).add('completed');
        if (blob.storageKey !== upload.key) this.removeLoser(upload.key);
        return true;
      }
      // What is not live gets this upload's object.
      if (blob.state !== 'live' || (await this.damage.isWhole(blob, 'push'))) judged = blob.storageKey;
    }
    throw new OciError('storeBusy', undefined, { headers: { 'Retry-After': '1' } });
  }

  /** Another upload of the digest was earlier. What is not removed now, the sweep of the done row removes. */
  private removeLoser(key: ObjectKey): void {
    this.store.delete([key]).catch((error: unknown) => {
      this.logger.warn({ key, error: String(error), message: 'the sweep has to remove a duplicate' });
    });
  }
}
