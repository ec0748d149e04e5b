import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../cache/cache.module.js';
import { DatabaseModule } from '../database/database.module.js';
import { RepoAlias } from './repo-alias.entity.js';
import { RepoGrant } from './repo-grant.entity.js';
import { Repo } from './repo.entity.js';
import { RepositoriesRepository } from './repositories.repository.js';
import { RepositoriesService } from './repositories.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Repo, RepoAlias, RepoGrant]), DatabaseModule, CacheModule],
  providers: [RepositoriesRepository, RepositoriesService],
  exports: [RepositoriesService],
})
export class ReposModule {}
