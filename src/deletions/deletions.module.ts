import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { ManifestsModule } from '../manifests/manifests.module.js';
import { ReposModule } from '../repos/repos.module.js';
import { DeletionsController } from './deletions.controller.js';
import { DeletionsService } from './deletions.service.js';

/** Many deletions in one request. */
@Module({
  imports: [AuditModule, AuthModule, ManifestsModule, ReposModule],
  controllers: [DeletionsController],
  providers: [DeletionsService],
})
export class DeletionsModule {}
