import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { OrphanObjects } from '../../registry/blobs/orphan-objects.js';
import { AppConfig } from '../../config/config.js';
import { BlobStore } from '../../storage/blob-store.js';
import { StoreUnavailable } from '../../storage/storage-errors.js';
import { InstallationRepository } from './installation.repository.js';

/** Blobs that are looked for in a store without a mark. */
const SAMPLE = 20;

/** The store is not this database's: whatever it holds, no row here can say that it is garbage. */
export class ForeignStore extends Error {
  override readonly name = 'ForeignStore';

  constructor(
    message: string,
    /** Whether the blobs of the database are elsewhere: blobs written here would not be found there. */
    readonly isWrong = false,
  ) {
    super(message);
  }
}

/**
 * Binds the store to the database: both have the installation's id. It is given once, while both are empty or the
 * store has what the database names: a wrong or an empty database is never taken for the store's own, nor an unmounted
 * volume for the database's.
 */
@Injectable()
export class StoreBinding {
  private readonly intervalSeconds: number;

  constructor(
    private readonly installations: InstallationRepository,
    private readonly objects: OrphanObjects,
    private readonly store: BlobStore,
    { storage }: AppConfig,
  ) {
    this.intervalSeconds = storage.reconcileIntervalSeconds;
  }

  /** Throws `ForeignStore` when the two do not belong together. The wrong store takes no bytes until this succeeds. */
  async ensure(): Promise<void> {
    try {
      await this.bind();
      this.store.refusal = null;
    } catch (error) {
      if (error instanceof ForeignStore)
        this.store.refusal = error.isWrong ? new StoreUnavailable('foreign', error.message) : null;
      throw error;
    }
  }

  private async bind(): Promise<void> {
    const { inventory } = this.store;
    const owner = await inventory.owner();
    const id = await this.installations.id();
    if (owner !== null) {
      if (owner !== id) throw new ForeignStore(FOREIGN, !(await this.hasNamed()));
      return;
    }
    await this.requireOurs();
    const own = id ?? (await this.create());
    if ((await inventory.claim(own)) !== own) throw new ForeignStore(FOREIGN);
  }

  private async create(): Promise<string> {
    const proposed = randomUUID();
    await this.installations.create(proposed, this.intervalSeconds);
    return (await this.installations.id()) ?? proposed;
  }

  /** A store without a mark is ours when it has what the database names, or both are empty. */
  private async requireOurs(): Promise<void> {
    if (!(await this.hasNamed())) throw new ForeignStore(EMPTY, true);
    if ((await this.objects.oldest(1)).length > 0) return;
    for await (const page of this.store.inventory.objects()) if (page.length > 0) throw new ForeignStore(UNKNOWN);
  }

  /** Whether at least half of the oldest blobs that the database names are there, if it names any. */
  private async hasNamed(): Promise<boolean> {
    const named = await this.objects.oldest(SAMPLE);
    let found = 0;
    for (const key of named) if (await this.store.stat(key)) found += 1;
    return found * 2 >= named.length;
  }
}

const FOREIGN =
  'the store belongs to another installation than the database: nothing in it is removed; ' +
  'see "Which database a bucket belongs to" in docs/storage.md';
const UNKNOWN =
  'the store holds blobs of which the database knows none, and no mark of its owner: nothing in it is removed; ' +
  'see "Which database a bucket belongs to" in docs/storage.md';
const EMPTY =
  'the store has no mark of its owner, and less than half of the blobs that the database names: is the volume mounted, ' +
  'is it the right bucket? Nothing is removed or marked as damaged, and no bytes are taken; ' +
  'see "Which database a bucket belongs to" in docs/storage.md';
