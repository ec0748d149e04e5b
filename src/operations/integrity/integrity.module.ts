import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BlobsModule } from '../../registry/blobs/blobs.module.js';
import { StorageModule } from '../../storage/storage.module.js';
import { BlobChecker } from './blob-checker.js';
import { FsckController } from './fsck.controller.js';
import { FsckService } from './fsck.service.js';
import { IntegrityRun } from './integrity-run.entity.js';
import { IntegrityRunsRepository } from './integrity-runs.repository.js';
import { IntegrityTurns } from './integrity-turns.js';
import { IntegrityWalk } from './integrity-walk.service.js';
import { OfflineFsck } from './offline-fsck.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([IntegrityRun]), BlobsModule, StorageModule],
  controllers: [FsckController],
  providers: [BlobChecker, FsckService, IntegrityRunsRepository, IntegrityTurns, IntegrityWalk, OfflineFsck],
})
export class IntegrityModule {}
