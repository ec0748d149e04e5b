import type { ObjectKey } from './object-keys.js';

export interface ListedObject {
  readonly key: ObjectKey;
  readonly size: number;
  /** By the store's clock. */
  readonly modifiedAt: Date;
}

export interface ListedMultipart {
  readonly id: string;
  readonly key: ObjectKey;
  readonly startedAt: Date;
}

/** Objects or multipart uploads that one look at a store gives at once. */
export const PAGE_SIZE = 1000;

/** All that a store holds, for those who compare it with the rows; and whose it is. */
export interface BlobInventory {
  /**
   * Everything under a name of ours, a page of at most `PAGE_SIZE` at a time. Other names are passed over. What comes or
   * goes meanwhile may be listed or not.
   */
  objects(): AsyncIterable<readonly ListedObject[]>;
  /** Multipart uploads under a name of ours, as far as the store lists them (MinIO: those since its last start). */
  multiparts(): AsyncIterable<readonly ListedMultipart[]>;
  /** One that is gone already is fine. */
  abort(upload: Pick<ListedMultipart, 'id' | 'key'>): Promise<void>;
  /** Which installation's store this is; `null` while it is unclaimed. */
  owner(): Promise<string | null>;
  /** Makes it the installation's unless it has an owner. Returns the owner that it has afterwards. */
  claim(installation: string): Promise<string>;
}
