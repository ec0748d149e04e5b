import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../cache/cache.module.js';
import { DatabaseModule } from '../database/database.module.js';
import { EventsModule } from '../events/events.module.js';
import { RepoAlias } from './repo-alias.entity.js';
import { RepoGrant } from './repo-grant.entity.js';
import { Repo } from './repo.entity.js';
import { ReposController } from './repos.controller.js';
import { RepositoriesRepository } from './repositories.repository.js';
import { RepositoriesService } from './repositories.service.js';
import { VisibleRepositoriesRepository } from './visible-repositories.repository.js';

@Module({
  imports: [TypeOrmModule.forFeature([Repo, RepoAlias, RepoGrant]), DatabaseModule, CacheModule, EventsModule],
  controllers: [ReposController],
  providers: [RepositoriesRepository, RepositoriesService, VisibleRepositoriesRepository],
  exports: [RepositoriesService],
})
export class ReposModule {}
