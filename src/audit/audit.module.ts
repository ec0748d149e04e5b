import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditEvent } from './audit-event.entity.js';

@Module({ imports: [TypeOrmModule.forFeature([AuditEvent])] })
export class AuditModule {}
