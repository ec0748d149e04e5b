import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BlobsModule } from '../registry/blobs/blobs.module.js';
import { CacheModule } from '../cache/cache.module.js';
import { DatabaseModule } from '../database/database.module.js';
import { EventsModule } from '../events/events.module.js';
import { HttpModule } from '../http/http.module.js';
import { ParsingModule } from '../registry/parsing/parsing.module.js';
import { RegistryModule } from '../registry/v2/registry.module.js';
import { ReposModule } from '../repos/repos.module.js';
import { ImageConfigs } from './image-configs.service.js';
import { ImagePlatforms } from './image-platforms.js';
import { ManifestDetailsRepository } from './manifest-details.repository.js';
import { ManifestDetailsService } from './manifest-details.service.js';
import { ManifestPushService } from './manifest-push.service.js';
import { ManifestReadService } from './manifest-read.service.js';
import { ManifestRef } from './manifest-ref.entity.js';
import { ManifestUsesRepository } from './manifest-uses.repository.js';
import { Manifest } from './manifest.entity.js';
import { ManifestsController } from './manifests.controller.js';
import { ManifestsRepository } from './manifests.repository.js';
import { ManifestsService } from './manifests.service.js';
import { PullCounts } from './pull-counts.js';
import { ReferrersController } from './referrers.controller.js';
import { ReferrersRepository } from './referrers.repository.js';
import { ReferrersService } from './referrers.service.js';
import { RepositoryManifestsController } from './repository-manifests.controller.js';
import { RepositoryTagsController } from './repository-tags.controller.js';
import { TagEvent } from './tag-event.entity.js';
import { RemovalsService } from './removals.service.js';
import { TagListsRepository } from './tag-lists.repository.js';
import { Tag } from './tag.entity.js';
import { ManifestSummariesRepository } from './summaries/manifest-summaries.repository.js';
import { ManifestSummaries } from './summaries/manifest-summaries.service.js';
import { TagsController } from './tags.controller.js';
import { TagsRepository } from './tags.repository.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([Manifest, ManifestRef, Tag, TagEvent]),
    BlobsModule,
    CacheModule,
    DatabaseModule,
    EventsModule,
    HttpModule,
    ParsingModule,
    RegistryModule,
    ReposModule,
  ],
  controllers: [
    ManifestsController,
    TagsController,
    ReferrersController,
    RepositoryTagsController,
    RepositoryManifestsController,
  ],
  providers: [
    ImageConfigs,
    ImagePlatforms,
    ManifestDetailsRepository,
    ManifestDetailsService,
    ManifestReadService,
    ManifestSummaries,
    ManifestSummariesRepository,
    ManifestPushService,
    ManifestsService,
    ManifestsRepository,
    ManifestUsesRepository,
    PullCounts,
    ReferrersService,
    ReferrersRepository,
    RemovalsService,
    TagListsRepository,
    TagsRepository,
  ],
  exports: [RemovalsService],
})
export class ManifestsModule {}
