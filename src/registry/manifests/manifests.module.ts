import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BlobsModule } from '../blobs/blobs.module.js';
import { CacheModule } from '../../cache/cache.module.js';
import { DatabaseModule } from '../../database/database.module.js';
import { EventsModule } from '../../events/events.module.js';
import { HttpModule } from '../../http/http.module.js';
import { ParsingModule } from '../parsing/parsing.module.js';
import { RegistryModule } from '../v2/registry.module.js';
import { ReposModule } from '../repos/repos.module.js';
import { ImageConfigs } from './details/image-configs.service.js';
import { ImagePlatforms } from './details/image-platforms.js';
import { ManifestDetailsRepository } from './details/manifest-details.repository.js';
import { ManifestDetailsService } from './details/manifest-details.service.js';
import { ManifestPushService } from './manifest-push.service.js';
import { ManifestReadService } from './manifest-read.service.js';
import { ManifestRef } from './manifest-ref.entity.js';
import { ManifestUsesRepository } from './manifest-uses.repository.js';
import { Manifest } from './manifest.entity.js';
import { ManifestsController } from './manifests.controller.js';
import { ManifestsRepository } from './manifests.repository.js';
import { ManifestsService } from './manifests.service.js';
import { PullCounts } from './pull-counts.js';
import { ReferrersController } from '../referrers/referrers.controller.js';
import { ReferrersRepository } from '../referrers/referrers.repository.js';
import { ReferrersService } from '../referrers/referrers.service.js';
import { RepositoryManifestsController } from './details/repository-manifests.controller.js';
import { RepositoryTagsController } from './tags/repository-tags.controller.js';
import { TagEvent } from './tags/tag-event.entity.js';
import { RemovalsService } from './removals.service.js';
import { TagListsRepository } from './tags/tag-lists.repository.js';
import { Tag } from './tags/tag.entity.js';
import { ManifestSummariesRepository } from './summaries/manifest-summaries.repository.js';
import { ManifestSummaries } from './summaries/manifest-summaries.service.js';
import { TagsController } from './tags/tags.controller.js';
import { TagsRepository } from './tags/tags.repository.js';

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
