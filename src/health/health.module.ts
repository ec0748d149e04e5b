import { Module } from '@nestjs/common';
import { CacheModule } from '../cache/cache.module.js';
import { DatabaseModule } from '../database/database.module.js';
import { Drain } from '../http/drain.js';
import { StorageModule } from '../storage/storage.module.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';

@Module({
  imports: [DatabaseModule, StorageModule, CacheModule],
  controllers: [HealthController],
  providers: [HealthService, Drain],
  exports: [Drain, HealthService],
})
export class HealthModule {}
