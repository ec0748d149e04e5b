import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../../cache/cache.module.js';
import { DatabaseModule } from '../../database/database.module.js';
import { Drain } from '../../http/connections/drain.js';
import { StorageModule } from '../../storage/storage.module.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';
import { WriteCheckRow } from './writes/write-check.entity.js';
import { WriteChecks } from './writes/write-checks.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([WriteCheckRow]), DatabaseModule, StorageModule, CacheModule],
  controllers: [HealthController],
  providers: [HealthService, WriteChecks, Drain],
  exports: [Drain, HealthService, WriteChecks],
})
export class HealthModule {}
