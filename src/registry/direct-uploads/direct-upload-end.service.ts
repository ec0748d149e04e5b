import { Injectable, Logger } from '@nestjs/common';
import { DIRECT_UPLOADS } from '../uploads/upload-counts.js';
import { BlobStore } from '../../storage/blob-store.js';
import { objectKeyOf } from '../../storage/object-keys.js';
import { StoreOwner } from '../blobs/damage/store-owner.service.js';
import type { FailureReason } from './direct-failures.js';
import { type DirectUploadRow, DirectUploadsRepository } from './direct-uploads.repository.js';

/** Which upload, and what the store has of it. */
export type Ended = Pick<DirectUploadRow, 'id' | 'epoch' | 'writer'>;

/** The end of a direct upload that became no blob. */
@Injectable()
export class DirectUploadEnd {
  private readonly logger = new Logger(DirectUploadEnd.name);

  constructor(
    private readonly uploads: DirectUploadsRepository,
    private readonly store: BlobStore,
    private readonly owner: StoreOwner,
  ) {}

  /**
   * First nobody can make a blob of it any more, then the bytes go. False when it is another's by now. What a store has
   * lost it may have again once the right one is back: throws `unavailable`, and the upload goes on, while the store is
   * not ours or cannot say so.
   */
  async fail(upload: Ended, reason: FailureReason): Promise<boolean> {
    const { id, epoch } = upload;
    if (reason === 'bytesLost') await this.owner.require();
    if (!(await this.uploads.fail(id, epoch, reason))) return false;
    DIRECT_UPLOADS.add('failed');
    this.logger.warn({ upload: id, reason, message: 'a direct upload has failed' });
    await this.remove(upload);
    return true;
  }

  /** What is not removed now, or comes later, the sweep of the row removes. */
  async remove({ id, epoch, writer }: Ended): Promise<void> {
    try {
      await this.store.abandon({ key: objectKeyOf(id), epoch }, writer);
    } catch (error) {
      this.logger.warn({ upload: id, error: String(error), message: 'the sweep has to remove an ended upload' });
    }
  }
}
