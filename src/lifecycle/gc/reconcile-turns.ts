import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { AppConfig } from '../../config/config.js';
import { COUNTERS } from '../../http/counters.js';
import { BlobStore } from '../../storage/blob-store.js';
import { Reconciler, type Reconciled } from './reconciler.service.js';
import { ForeignStore, StoreBinding } from './store-binding.service.js';

/** Between two looks at whether it is time; each node adds a part of it by chance. */
const PAUSE_MS = 60_000;
/** Between two looks at whether the right store is back. */
const WRONG_STORE_PAUSE_MS = 5_000;

/** Binds the store at the start, and has this node reconcile when it is time and no other one does. */
@Injectable()
export class ReconcileTurns implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ReconcileTurns.name);
  private readonly isOn: boolean;
  private readonly stop = new AbortController();
  private timer: NodeJS.Timeout | null = null;
  private rebinding: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly reconciler: Reconciler,
    private readonly binding: StoreBinding,
    private readonly store: BlobStore,
    { storage }: AppConfig,
  ) {
    this.isOn = storage.reconcileIntervalSeconds > 0;
  }

  async onApplicationBootstrap(): Promise<void> {
    // Also where it is off: a store is best bound while it is empty.
    await this.binding.ensure().catch((error: unknown) => {
      this.report(error);
    });
    if (this.isOn) this.schedule();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stop.abort(new Error('the node stops'));
    if (this.timer) clearTimeout(this.timer);
    if (this.rebinding) clearTimeout(this.rebinding);
    await this.running;
  }

  /** A store that takes no bytes is looked at again, and takes them as soon as it is the database's. */
  private rebindLater(): void {
    if (this.store.refusal === null || this.rebinding !== null || this.stop.signal.aborted) return;
    this.rebinding = setTimeout(() => {
      this.rebinding = null;
      void this.rebind();
    }, WRONG_STORE_PAUSE_MS).unref();
  }

  private async rebind(): Promise<void> {
    await this.binding.ensure().then(
      () => {
        this.logger.log({ event: 'own-store', message: "the store is the database's again and takes bytes" });
      },
      (error: unknown) => {
        if (!(error instanceof ForeignStore)) this.report(error);
      },
    );
    this.rebindLater();
  }

  private schedule(): void {
    if (this.stop.signal.aborted) return;
    const pause = PAUSE_MS * (1 + Math.random());
    this.timer = setTimeout(() => {
      this.running = this.take();
      void this.running.then(() => {
        this.schedule();
      });
    }, pause).unref();
  }

  private async take(): Promise<void> {
    const startedAt = Date.now();
    try {
      const result = await this.reconciler.run(this.stop.signal, { onlyIfDue: true });
      if (!result) return;
      count(result);
      const seconds = Math.round((Date.now() - startedAt) / 1000);
      this.logger.log({ event: 'reconciled', ...result, seconds, message: 'the store was compared with the database' });
    } catch (error) {
      if (!this.stop.signal.aborted) this.report(error);
    }
  }

  private report(error: unknown): void {
    COUNTERS.reconciles.add(error instanceof ForeignStore ? 'foreign' : 'failed');
    if (error instanceof ForeignStore) this.logger.error({ event: 'foreign-store', message: error.message });
    else this.logger.warn({ error: String(error), message: 'the store is compared with the database later' });
    this.rebindLater();
  }
}

function count({ removedObjects, removedBytes, abortedMultiparts }: Reconciled): void {
  COUNTERS.reconciles.add('done');
  COUNTERS.reconciled.add('objects', removedObjects);
  COUNTERS.reconciled.add('bytes', removedBytes);
  COUNTERS.reconciled.add('multiparts', abortedMultiparts);
}
