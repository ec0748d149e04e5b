import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { OrphanObjects } from '../../registry/blobs/orphan-objects.js';
import { AppConfig } from '../../config/config.js';
import type { ListedObject } from '../../storage/blob-inventory.js';
import { BlobStore } from '../../storage/blob-store.js';
import { InstallationRepository } from './installation.repository.js';
import { ForeignStore, StoreBinding } from './store-binding.service.js';

export interface Reconciled {
  /** Looked at. */
  readonly objects: number;
  readonly bytes: number;
  readonly removedObjects: number;
  readonly removedBytes: number;
  readonly multiparts: number;
  readonly abortedMultiparts: number;
}

export interface ReconcileOptions {
  /** Whether to wait for its time; otherwise it only waits for no other run. */
  readonly onlyIfDue?: boolean;
  /** What is younger is left alone. */
  readonly graceSeconds?: number;
  /** The job that it is an attempt at: another attempt goes on under the same lease. */
  readonly lease?: string;
  /** Is told how many objects were looked at. */
  readonly onPage?: (objects: number) => void;
}

/** Another node goes on this long after the last page of one that died. */
const LEASE_SECONDS = 300;
/** After a failure. */
const RETRY_SECONDS = 600;
/** More than this, and more than half of all that was looked at: rather the wrong rows than so much garbage. */
const SUSPICIOUS = 10;

/** Looks through the whole store and removes what no row names: one node at a time, a page at a time. */
@Injectable()
export class Reconciler {
  private readonly intervalSeconds: number;
  private readonly graceSeconds: number;

  constructor(
    private readonly installations: InstallationRepository,
    private readonly binding: StoreBinding,
    private readonly named: OrphanObjects,
    private readonly store: BlobStore,
    { storage }: AppConfig,
  ) {
    this.intervalSeconds = storage.reconcileIntervalSeconds;
    this.graceSeconds = storage.reconcileGraceSeconds;
  }

  /**
   * `null` when it is not the time or another node is at it. Stops between two pages with the signal's reason. Throws
   * `ForeignStore` when the store is not this database's.
   */
  async run(
    signal: AbortSignal,
    { onlyIfDue = false, graceSeconds = this.graceSeconds, lease, onPage }: ReconcileOptions = {},
  ): Promise<Reconciled | null> {
    const run = lease ?? randomUUID();
    if (!(await this.installations.begin(run, LEASE_SECONDS, onlyIfDue))) return null;
    let pause = RETRY_SECONDS;
    try {
      await this.binding.ensure();
      const step = async (): Promise<void> => {
        signal.throwIfAborted();
        if (!(await this.installations.prolong(run, LEASE_SECONDS))) throw new Error('another node has taken over');
      };
      const before = new Date(Date.now() - graceSeconds * 1000);
      const result = {
        ...(await this.removeObjects(before, step, onPage)),
        ...(await this.abortMultiparts(before, step)),
      };
      pause = this.intervalSeconds;
      return result;
    } finally {
      // What stops an attempt at a job leaves the lease to the next one.
      if (lease === undefined || !signal.aborted) await this.installations.end(run, pause);
    }
  }

  /** Of a job that was cancelled: the next one comes when it would have come. */
  async skip(lease: string): Promise<void> {
    await this.installations.end(lease, this.intervalSeconds);
  }

  private async removeObjects(before: Date, step: () => Promise<void>, onPage?: (objects: number) => void) {
    const found = { objects: 0, bytes: 0, removedObjects: 0, removedBytes: 0 };
    for await (const page of this.store.inventory.objects()) {
      await step();
      const unnamed = await this.named.unnamed(page.map(({ key }) => key));
      const garbage = page.filter(({ key, modifiedAt }) => unnamed.has(key) && modifiedAt < before);
      found.objects += page.length;
      found.bytes += bytesOf(page);
      found.removedObjects += garbage.length;
      found.removedBytes += bytesOf(garbage);
      const { objects, removedObjects } = found;
      if (removedObjects > SUSPICIOUS && removedObjects > objects / 2) throw new ForeignStore(MOSTLY_UNNAMED);
      await this.store.delete(garbage.map(({ key }) => key));
      onPage?.(objects);
    }
    return found;
  }

  private async abortMultiparts(before: Date, step: () => Promise<void>) {
    const found = { multiparts: 0, abortedMultiparts: 0 };
    for await (const page of this.store.inventory.multiparts()) {
      await step();
      const old = page.filter(({ startedAt }) => startedAt < before);
      const unknown = await this.named.withoutUpload(old.map(({ key }) => key));
      const garbage = old.filter(({ key }) => unknown.has(key));
      for (const upload of garbage) await this.store.inventory.abort(upload);
      found.multiparts += page.length;
      found.abortedMultiparts += garbage.length;
    }
    return found;
  }
}

function bytesOf(objects: readonly ListedObject[]): number {
  return objects.reduce((sum, { size }) => sum + size, 0);
}

const MOSTLY_UNNAMED =
  'the database names less than half of the blobs in the store, as one would that was restored from an old backup: ' +
  'nothing more is removed; see "Which database a bucket belongs to" in docs/storage.md';
