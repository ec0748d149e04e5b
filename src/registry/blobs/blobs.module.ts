import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../../cache/cache.module.js';
import { DatabaseModule } from '../../database/database.module.js';
import { EventsModule } from '../../events/events.module.js';
import { HttpModule } from '../../http/http.module.js';
import { ParsingModule } from '../parsing/parsing.module.js';
import { RegistryModule } from '../v2/registry.module.js';
import { ReposModule } from '../repos/repos.module.js';
import { StorageModule } from '../../storage/storage.module.js';
import { Blob } from './blob.entity.js';
import { BlobLinks } from './blob-links.service.js';
import { BlobUrls } from './blob-urls.js';
import { BlobsController } from './blobs.controller.js';
import { BlobsRepository } from './blobs.repository.js';
import { BlobsService } from './blobs.service.js';
import { ClosingRequests } from '../uploads/closing/closing-requests.service.js';
import { ClosingWait } from '../uploads/closing/closing-wait.service.js';
import { BlobCompactor } from '../uploads/compaction/blob-compactor.service.js';
import { CompactionsRepository } from '../uploads/compaction/compactions.repository.js';
import { CommitTransaction } from './commit-transaction.service.js';
import { ContentRepository } from './content.repository.js';
import { ContentService } from './content.service.js';
import { BlobDamage } from './damage/blob-damage.service.js';
import { DamageRepository } from './damage/damage.repository.js';
import { DamagedBlob } from './damage/damaged-blob.entity.js';
import { DamagedBlobsController } from './damage/damaged-blobs.controller.js';
import { StoreOwner } from './damage/store-owner.service.js';
import { ContentTreeRepository } from './content-tree/content-tree.repository.js';
import { ContentTree } from './content-tree/content-tree.service.js';
import { DirectBytes } from '../direct-uploads/direct-bytes.service.js';
import { DirectUploadEnd } from '../direct-uploads/direct-upload-end.service.js';
import { DirectUploadStart } from '../direct-uploads/direct-upload-start.service.js';
import { DirectUploadsController } from '../direct-uploads/direct-uploads.controller.js';
import { DirectUploadsRepository } from '../direct-uploads/direct-uploads.repository.js';
import { DirectUploadsService } from '../direct-uploads/direct-uploads.service.js';
import { HashWorkers } from '../hashing/hash-workers.js';
import { MountRepository } from './mount.repository.js';
import { MountService } from './mount.service.js';
import { OrphanObjects } from './orphan-objects.js';
import { OpenUploadsRepository } from '../uploads/open-uploads/open-uploads.repository.js';
import { OpenUploads } from '../uploads/open-uploads/open-uploads.service.js';
import { RepoContent } from './repo-content.entity.js';
import { StoredBlobs } from './stored-blobs.js';
import { SweepRepository } from '../uploads/sweep.repository.js';
import { UnfinishedRepositoriesRepository } from '../uploads/unfinished/unfinished.repository.js';
import { UnfinishedSweeper } from '../uploads/unfinished/unfinished-sweeper.service.js';
import { Upload } from '../uploads/upload.entity.js';
import { UploadCloser } from '../uploads/upload-closer.service.js';
import { UploadCommit } from '../uploads/upload-commit.service.js';
import { UploadEndService } from '../uploads/upload-end.service.js';
import { UploadHeartbeat } from '../uploads/upload-heartbeat.service.js';
import { UploadStore } from '../uploads/upload-store.service.js';
import { UploadSweeper } from '../uploads/upload-sweeper.js';
import { UploadVerifier } from '../direct-uploads/upload-verifier.js';
import { UploadWriter } from '../uploads/upload-writer.service.js';
import { UploadsController } from '../uploads/uploads.controller.js';
import { UploadsRepository } from '../uploads/uploads.repository.js';
import { UploadsService } from '../uploads/uploads.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([Blob, DamagedBlob, RepoContent, Upload]),
    DatabaseModule,
    CacheModule,
    EventsModule,
    HttpModule,
    ParsingModule,
    StorageModule,
    RegistryModule,
    ReposModule,
  ],
  controllers: [UploadsController, BlobsController, DirectUploadsController, DamagedBlobsController],
  providers: [
    BlobCompactor,
    BlobDamage,
    BlobLinks,
    BlobsRepository,
    BlobsService,
    BlobUrls,
    ClosingRequests,
    ClosingWait,
    CompactionsRepository,
    CommitTransaction,
    ContentRepository,
    ContentService,
    DamageRepository,
    ContentTree,
    ContentTreeRepository,
    DirectBytes,
    DirectUploadEnd,
    DirectUploadStart,
    DirectUploadsRepository,
    DirectUploadsService,
    HashWorkers,
    MountRepository,
    MountService,
    OrphanObjects,
    OpenUploads,
    OpenUploadsRepository,
    StoredBlobs,
    StoreOwner,
    SweepRepository,
    UnfinishedRepositoriesRepository,
    UnfinishedSweeper,
    UploadCloser,
    UploadCommit,
    UploadEndService,
    UploadHeartbeat,
    UploadStore,
    UploadsRepository,
    UploadsService,
    UploadSweeper,
    UploadVerifier,
    UploadWriter,
  ],
  exports: [BlobDamage, BlobsService, ContentService, HashWorkers, OrphanObjects, StoredBlobs, StoreOwner],
})
export class BlobsModule {}
