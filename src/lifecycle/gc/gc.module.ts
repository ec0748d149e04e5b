import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BlobsModule } from '../../registry/blobs/blobs.module.js';
import { StorageModule } from '../../storage/storage.module.js';
import { Installation } from './installation.entity.js';
import { InstallationRepository } from './installation.repository.js';
import { ReconcileTurns } from './reconcile-turns.js';
import { Reconciler } from './reconciler.service.js';
import { StoreBinding } from './store-binding.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Installation]), BlobsModule, StorageModule],
  providers: [InstallationRepository, ReconcileTurns, Reconciler, StoreBinding],
})
export class GcModule {}
