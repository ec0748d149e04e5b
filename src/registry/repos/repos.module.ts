import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../../cache/cache.module.js';
import { DatabaseModule } from '../../database/database.module.js';
import { EventsModule } from '../../events/events.module.js';
import { OrgsModule } from '../../identity/orgs/orgs.module.js';
import { UsersModule } from '../../identity/users/users.module.js';
import { EffectiveAccessService } from './grants/effective-access.service.js';
import { FormerPathsController } from './moves/former-paths.controller.js';
import { GrantsRepository } from './grants/grants.repository.js';
import { NamespaceReposService } from './namespace-repos.service.js';
import { PermissionsController } from './grants/permissions.controller.js';
import { PermissionsService } from './grants/permissions.service.js';
import { RepoAlias } from './moves/repo-alias.entity.js';
import { RepoGrant } from './grants/repo-grant.entity.js';
import { RepoListsController } from './repo-lists.controller.js';
import { RepoMovesController } from './moves/repo-moves.controller.js';
import { Repo } from './repo.entity.js';
import { ReposController } from './repos.controller.js';
import { ReposRepository } from './repos.repository.js';
import { ReposService } from './repos.service.js';
import { RepoCleanupService } from './repo-cleanup.service.js';
import { RepoChangesService } from './repo-changes.service.js';
import { RepoMovesRepository } from './moves/repo-moves.repository.js';
import { RepoMovesService } from './moves/repo-moves.service.js';
import { RepoSettingsService } from './repo-settings.service.js';
import { UnfinishedRepositoriesController } from './unfinished/unfinished-repositories.controller.js';
import { UnfinishedReposService } from './unfinished/unfinished-repos.service.js';
import { VisibleReposRepository } from './visible-repos.repository.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([Repo, RepoAlias, RepoGrant]),
    DatabaseModule,
    CacheModule,
    EventsModule,
    UsersModule,
    OrgsModule,
  ],
  controllers: [
    RepoListsController,
    ReposController,
    RepoMovesController,
    FormerPathsController,
    PermissionsController,
    UnfinishedRepositoriesController,
  ],
  providers: [
    EffectiveAccessService,
    GrantsRepository,
    NamespaceReposService,
    PermissionsService,
    ReposRepository,
    ReposService,
    RepoChangesService,
    RepoCleanupService,
    RepoMovesRepository,
    RepoMovesService,
    RepoSettingsService,
    UnfinishedReposService,
    VisibleReposRepository,
  ],
  exports: [NamespaceReposService, ReposService, RepoChangesService],
})
export class ReposModule {}
