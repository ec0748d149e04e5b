import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { NamedObjects } from '../blobs/named-objects.js';
import { AppConfig } from '../config/config.js';
import { BlobStore } from '../storage/blob-store.js';
import { InstallationRepository } from './installation.repository.js';

/** Blobs that are looked for in a store without a mark. */
const SAMPLE = 20;

/** The store is not this database's: whatever it holds, no row here can say that it is garbage. */
export class ForeignStore extends Error {
  override readonly name = 'ForeignStore';
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
    private readonly objects: NamedObjects,
    private readonly store: BlobStore,
    { storage }: AppConfig,
  ) {
    this.intervalSeconds = storage.reconcileIntervalSeconds;
  }

  /** Throws `ForeignStore` when the two do not belong together. */
  async ensure(): Promise<void> {
    const { inventory } = this.store;
    const owner = await inventory.owner();
    const id = await this.installations.id();
    if (owner !== null) {
      if (owner !== id) throw new ForeignStore(FOREIGN);
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
    const named = await this.objects.oldest(SAMPLE);
    let found = 0;
    for (const key of named) if (await this.store.stat(key)) found += 1;
    if (found * 2 < named.length) throw new ForeignStore(EMPTY);
    if (named.length > 0) return;
    for await (const page of this.store.inventory.objects()) if (page.length > 0) throw new ForeignStore(UNKNOWN);
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
  'is it the right bucket? Nothing is removed or marked as damaged; ' +
  'see "Which database a bucket belongs to" in docs/storage.md';
