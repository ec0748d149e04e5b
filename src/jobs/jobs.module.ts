import { Module } from '@nestjs/common';
import { DatabaseModule } from '../database/database.module.js';
import { JobQueue } from './job-queue.service.js';
import { JobWakers } from './job-wakers.js';
import { Jobs } from './jobs.service.js';
import { JobsRepository } from './jobs.repository.js';

/** For modules that enqueue. */
@Module({
  imports: [DatabaseModule],
  providers: [JobQueue, JobsRepository, JobWakers, Jobs],
  exports: [JobQueue, JobsRepository, JobWakers, Jobs],
})
export class JobsModule {}
