import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../database/unit-of-work.js';
import { OciError } from '../../../oci/oci-error.js';
import { BlobStore } from '../../../storage/blob-store.js';

const INSTALLATION = 'SELECT id FROM installation';

/** Whether the store at hand is the database's: an unmounted volume and a wrong bucket say nothing of any blob. */
@Injectable()
export class StoreOwner {
  constructor(
    private readonly store: BlobStore,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Reads both each time. Throws `unavailable` when the store is not ours, or cannot say so. */
  async require(): Promise<void> {
    const rows = await this.unitOfWork.runStatement((tx) => tx.query<{ id: string }>(INSTALLATION));
    const owner = await this.owner();
    if (owner === null || owner !== rows[0]?.id) throw new OciError('unavailable', undefined, { cause: NOT_OURS });
  }

  private async owner(): Promise<string | null> {
    try {
      return await this.store.inventory.owner();
    } catch (error) {
      throw new OciError('unavailable', undefined, { cause: error });
    }
  }
}

const NOT_OURS = new Error(
  'an object is not as it was stored, and the store does not have the aerugo-installation of this database: is the ' +
    'volume mounted, is it the right bucket? Nothing is marked as damaged',
);
