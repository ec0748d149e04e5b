import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module.js';
import { AuditEvent } from './audit-event.entity.js';
import { AuditEventsRepository } from './audit-events.repository.js';
import { AuditExports } from './audit-exports.js';
import { AuditLogService } from './audit-log.service.js';
import { AuditPartitionsJob } from './audit-partitions.job.js';
import { AuditPartitions } from './audit-partitions.js';
import { AuditRecorder } from './audit-recorder.js';
import { AuditWriter } from './audit-writer.js';
import { AuditController } from './audit.controller.js';

@Module({
  imports: [TypeOrmModule.forFeature([AuditEvent]), DatabaseModule],
  controllers: [AuditController],
  providers: [
    AuditEventsRepository,
    AuditExports,
    AuditLogService,
    AuditPartitions,
    AuditPartitionsJob,
    AuditRecorder,
    AuditWriter,
  ],
  exports: [AuditRecorder],
})
export class AuditModule {}
