import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../cache/cache.module.js';
import { DatabaseModule } from '../database/database.module.js';
import { EventsModule } from '../events/events.module.js';
import { OrgsModule } from '../identity/orgs/orgs.module.js';
import { UsersModule } from '../identity/users/users.module.js';
import { EffectiveAccessService } from './effective-access.service.js';
import { FormerPathsController } from './former-paths.controller.js';
import { GrantsRepository } from './grants.repository.js';
import { NamespaceRepositoriesService } from './namespace-repositories.service.js';
import { PermissionsController } from './permissions.controller.js';
import { PermissionsService } from './permissions.service.js';
import { RepoAlias } from './repo-alias.entity.js';
import { RepoGrant } from './repo-grant.entity.js';
import { RepoListsController } from './repo-lists.controller.js';
import { RepoMovesController } from './repo-moves.controller.js';
import { Repo } from './repo.entity.js';
import { ReposController } from './repos.controller.js';
import { RepositoriesRepository } from './repositories.repository.js';
import { RepositoriesService } from './repositories.service.js';
import { RepositoryChangesService } from './repository-changes.service.js';
import { RepositoryMovesRepository } from './repository-moves.repository.js';
import { RepositoryMovesService } from './repository-moves.service.js';
import { RepositorySettingsService } from './repository-settings.service.js';
import { UnfinishedRepositoriesController } from './unfinished/unfinished-repositories.controller.js';
import { UnfinishedRepositoriesService } from './unfinished/unfinished-repositories.service.js';
import { VisibleRepositoriesRepository } from './visible-repositories.repository.js';

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
    NamespaceRepositoriesService,
    PermissionsService,
    RepositoriesRepository,
    RepositoriesService,
    RepositoryChangesService,
    RepositoryMovesRepository,
    RepositoryMovesService,
    RepositorySettingsService,
    UnfinishedRepositoriesService,
    VisibleRepositoriesRepository,
  ],
  exports: [NamespaceRepositoriesService, RepositoriesService, RepositoryChangesService],
})
export class ReposModule {}
