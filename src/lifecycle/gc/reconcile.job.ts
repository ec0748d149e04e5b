import { Injectable, Logger } from '@nestjs/common';
import { RECONCILED, RECONCILES } from './gc-counts.js';
import { JobFailed, JobHandler, type JobRun } from '../../jobs/job-handler.js';
import { JobType, NoPayload } from '../../jobs/job-type.js';
import { Jobs } from '../../jobs/jobs.service.js';
import { stateOf } from '../../jobs/stored-job.js';
import { Reconciler, type Reconciled } from './reconciler.service.js';
import { ForeignStore } from './store-binding.service.js';

export const RECONCILE = new JobType('store.reconcile', NoPayload, { isUnique: true, timeoutSeconds: 23 * 3600 });

/** Compares the store with the database. What fails is due again later: only an attempt that was cut off has a next one. */
@Injectable()
export class ReconcileJob extends JobHandler<NoPayload> {
  readonly type = RECONCILE;
  private readonly logger = new Logger(ReconcileJob.name);

  constructor(
    private readonly reconciler: Reconciler,
    private readonly jobs: Jobs,
  ) {
    super();
  }

  async run(_payload: NoPayload, run: JobRun): Promise<void> {
    const startedAt = Date.now();
    const onPage = (objects: number): void => {
      run.progress(objects, null);
    };
    try {
      const result = await this.reconciler.run(run.signal, { onlyIfDue: true, lease: run.id, onPage });
      if (!result) return;
      count(result);
      const seconds = Math.round((Date.now() - startedAt) / 1000);
      this.logger.log({ event: 'reconciled', ...result, seconds, message: 'the store was compared with the database' });
    } catch (error) {
      if (run.signal.aborted) {
        await this.skipIfCancelled(run.id);
        throw error;
      }
      RECONCILES.add(error instanceof ForeignStore ? 'foreign' : 'failed');
      if (error instanceof ForeignStore) this.logger.error({ event: 'foreign-store', message: error.message });
      throw new JobFailed(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  private async skipIfCancelled(id: string): Promise<void> {
    if (stateOf(await this.jobs.get(id)) === 'cancelled') await this.reconciler.skip(id);
  }
}

function count({ removedObjects, removedBytes, abortedMultiparts }: Reconciled): void {
  RECONCILES.add('done');
  RECONCILED.add('objects', removedObjects);
  RECONCILED.add('bytes', removedBytes);
  RECONCILED.add('multiparts', abortedMultiparts);
}
