import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { AppConfig } from '../../config/config.js';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { RECONCILES } from './gc-counts.js';
import { Jobs } from '../../jobs/jobs.service.js';
import { NoPayload } from '../../jobs/job-type.js';
import { PeriodicTask } from '../../periodic/periodic-task.js';
import { BlobStore } from '../../storage/blob-store.js';
import { InstallationRepository } from './installation.repository.js';
import { RECONCILE } from './reconcile.job.js';
import { ForeignStore, StoreBinding } from './store-binding.service.js';

/** Between two looks at whether it is time. */
const PAUSE_MS = 30_000;
/** Between two looks at whether the right store is back. */
const WRONG_STORE_PAUSE_MS = 5_000;

/** Binds the store at the start, and enqueues the comparison with the database when it is time. */
@Injectable()
export class ReconcileSchedule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ReconcileSchedule.name);
  private readonly isOn: boolean;
  private readonly look = new PeriodicTask({
    name: 'reconcile-schedule',
    pauseMs: PAUSE_MS,
    failure: 'the store is compared with the database later',
    run: () => this.enqueueIfDue(),
  });
  /** A store that takes no bytes is looked at again, and takes them as soon as it is the database's. */
  private readonly rebinding = new PeriodicTask({
    name: 'store-binding',
    pauseMs: WRONG_STORE_PAUSE_MS,
    jitter: 0,
    failure: 'the store is bound later',
    run: () => this.rebind(),
  });

  constructor(
    private readonly binding: StoreBinding,
    private readonly installations: InstallationRepository,
    private readonly store: BlobStore,
    private readonly jobs: Jobs,
    private readonly unitOfWork: UnitOfWork,
    { storage }: AppConfig,
  ) {
    this.isOn = storage.reconcileIntervalSeconds > 0;
  }

  async onApplicationBootstrap(): Promise<void> {
    // Also where it is off: a store is best bound while it is empty.
    await this.binding.ensure().catch((error: unknown) => {
      this.report(error);
    });
    if (this.isOn) this.look.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.look.stop(), this.rebinding.stop()]);
  }

  private async enqueueIfDue(): Promise<void> {
    // Also for what a job has met: the store may be another one meanwhile.
    if (this.store.refusal !== null) this.rebinding.soon();
    if (await this.installations.isDue())
      await this.unitOfWork.run((tx) => this.jobs.enqueue(tx, RECONCILE, new NoPayload()));
  }

  private async rebind(): Promise<void> {
    try {
      await this.binding.ensure();
      this.logger.log({ event: 'own-store', message: "the store is the database's again and takes bytes" });
    } catch (error) {
      if (this.store.refusal !== null) this.rebinding.soon();
      if (!(error instanceof ForeignStore)) throw error;
    }
  }

  private report(error: unknown): void {
    RECONCILES.add(error instanceof ForeignStore ? 'foreign' : 'failed');
    if (error instanceof ForeignStore) this.logger.error({ event: 'foreign-store', message: error.message });
    else this.logger.warn({ error: String(error), message: 'the store is compared with the database later' });
    if (this.store.refusal !== null) this.rebinding.soon();
  }
}
