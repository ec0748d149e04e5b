import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { NamedObjects } from '../blobs/named-objects.js';
import { AppConfig } from '../config/config.js';
import { BlobStore } from '../storage/blob-store.js';
import { InstallationRepository } from './installation.repository.js';

/** The store is not this database's: whatever it holds, no row here can say that it is garbage. */
export class ForeignStore extends Error {
  override readonly name = 'ForeignStore';
}

/**
 * Binds the store to the database: both have the installation's id. It is given once, while the store is empty or the
 * database names what is in it, so that a wrong or an empty database is never taken for the store's own.
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
    if (!(await this.isOurs())) throw new ForeignStore(UNKNOWN);
    const own = id ?? (await this.create());
    if ((await inventory.claim(own)) !== own) throw new ForeignStore(FOREIGN);
  }

  private async create(): Promise<string> {
    const proposed = randomUUID();
    await this.installations.create(proposed, this.intervalSeconds);
    return (await this.installations.id()) ?? proposed;
  }

  /** Whether the first page of objects is empty or has one that the database names. */
  private async isOurs(): Promise<boolean> {
    for await (const page of this.store.inventory.objects()) {
      if (page.length === 0) continue;
      const unnamed = await this.objects.unnamed(page.map(({ key }) => key));
      return unnamed.size < page.length;
    }
    return true;
  }
}

const FOREIGN =
  'the store belongs to another installation than the database: nothing in it is removed; ' +
  'see "Which database a bucket belongs to" in docs/storage.md';
const UNKNOWN =
  'the store holds blobs of which the database knows none, and no mark of its owner: nothing in it is removed; ' +
  'see "Which database a bucket belongs to" in docs/storage.md';
