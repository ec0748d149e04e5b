import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BlobsModule } from '../../registry/blobs/blobs.module.js';
import { DatabaseModule } from '../../database/database.module.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import { StorageModule } from '../../storage/storage.module.js';
import { Installation } from './installation.entity.js';
import { InstallationRepository } from './installation.repository.js';
import { ReconcileSchedule } from './reconcile-schedule.service.js';
import { ReconcileJob } from './reconcile.job.js';
import { Reconciler } from './reconciler.service.js';
import { StoreBinding } from './store-binding.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Installation]), BlobsModule, DatabaseModule, JobsModule, StorageModule],
  providers: [InstallationRepository, ReconcileJob, ReconcileSchedule, Reconciler, StoreBinding],
})
export class GcModule {}
