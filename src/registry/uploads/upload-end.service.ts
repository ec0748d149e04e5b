import { Injectable, Logger } from '@nestjs/common';
import { STREAMED_UPLOADS } from './upload-counts.js';
import { BlobStore } from '../../storage/blob-store.js';
import { type ObjectKey, objectKeyOf } from '../../storage/object-keys.js';
import { UploadLost } from '../../storage/storage-errors.js';
import { StoreOwner } from '../blobs/damage/store-owner.service.js';
import { UploadStore } from './upload-store.service.js';
import type { UploadRow } from './uploads.repository.js';

/** The end of an upload that became no blob: nothing of it is left in the store or in the database. */
@Injectable()
export class UploadEndService {
  private readonly logger = new Logger(UploadEndService.name);

  constructor(
    private readonly uploads: UploadStore,
    private readonly store: BlobStore,
    private readonly owner: StoreOwner,
  ) {}

  /**
   * First the writers are stopped, then the bytes are deleted, last the row that names them: after a crash in between
   * the sweep continues. With an epoch, only if that is still the last one. False when there was nothing to end.
   */
  async end(id: string, epoch: number | null = null, why: 'failed' | 'cancelled' = 'failed'): Promise<boolean> {
    return this.clear(await this.uploads.terminate(id, epoch, true), why);
  }

  /**
   * The same for a failure that ends an upload. What a store has lost it may have again once its volume is back: throws
   * `unavailable`, and the upload goes on, while the store is not ours or cannot say so.
   */
  async endAfter(failure: unknown, id: string, epoch: number): Promise<boolean> {
    if (failure instanceof UploadLost) await this.owner.require();
    return this.end(id, epoch);
  }

  /** The same, unless a closing request is at work: what it makes of the bytes is not for another one to prevent. */
  async endUnlessClosing(id: string): Promise<boolean> {
    return this.clear(await this.uploads.terminate(id, null, false), 'failed');
  }

  /**
   * Removes objects that no acknowledged byte is in any more. What was acknowledged stands whatever becomes of this:
   * the sweep of the upload's row finds what is left.
   */
  async discard(keys: readonly ObjectKey[]): Promise<void> {
    if (keys.length === 0) return;
    try {
      await this.store.delete(keys);
    } catch (error) {
      this.logger.warn({ keys, error: String(error), message: 'the sweep has to remove what an upload left' });
    }
  }

  private async clear(row: UploadRow | null, why: 'failed' | 'cancelled'): Promise<boolean> {
    if (!row) return false;
    const { id } = row;
    STREAMED_UPLOADS.add(why);
    try {
      await this.store.abandon({ key: objectKeyOf(id), epoch: row.epoch }, row.writer);
      await this.uploads.remove(id, row.epoch);
    } catch (error) {
      this.logger.warn({ upload: id, error: String(error), message: 'the sweep has to remove an ended upload' });
    }
    return true;
  }
}
