import { Module } from '@nestjs/common';
import { AuditModule } from '../../operations/audit/audit.module.js';
import { AuthModule } from '../../identity/auth/auth.module.js';
import { ManifestsModule } from '../../registry/manifests/manifests.module.js';
import { ReposModule } from '../../registry/repos/repos.module.js';
import { OrgsModule } from '../../identity/orgs/orgs.module.js';
import { UsersModule } from '../../identity/users/users.module.js';
import { DeletionsController } from './deletions.controller.js';
import { DeletionsService } from './deletions.service.js';
import { NamespaceDeletionsService } from './namespace-deletions.service.js';
import { OrgDeletionController } from './org-deletion.controller.js';
import { UserDeletionController } from './user-deletion.controller.js';

/** Deletions that reach into several modules: many in one request, and a namespace with its repositories. */
@Module({
  imports: [AuditModule, AuthModule, ManifestsModule, OrgsModule, ReposModule, UsersModule],
  controllers: [DeletionsController, OrgDeletionController, UserDeletionController],
  providers: [DeletionsService, NamespaceDeletionsService],
})
export class DeletionsModule {}
