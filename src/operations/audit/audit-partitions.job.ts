import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { JobHandler, type JobRun } from '../../jobs/job-handler.js';
import { JobType, NoPayload } from '../../jobs/job-type.js';
import { AuditPartitions } from './audit-partitions.js';

/** In the quietest hour of most registries. */
const AUDIT_PARTITIONS = new JobType('audit.partitions', NoPayload, { isUnique: true, cron: '17 3 * * *' });

/** Prepares the months to come and drops those that are too old, once a day over all nodes. */
@Injectable()
export class AuditPartitionsJob extends JobHandler<NoPayload> {
  readonly type = AUDIT_PARTITIONS;

  constructor(
    private readonly partitions: AuditPartitions,
    private readonly unitOfWork: UnitOfWork,
  ) {
    super();
  }

  run(_payload: NoPayload, run: JobRun): Promise<void> {
    return this.unitOfWork.run(async (tx) => {
      await this.partitions.ensureIn(tx);
      await run.complete(tx);
    });
  }
}
