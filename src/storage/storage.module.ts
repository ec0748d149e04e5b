import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { join } from 'node:path';
import { AppConfig } from '../config/config.js';
import type { StorageType } from '../config/config-values.js';
import { StartupError } from '../config/startup-error.js';
import { BlobStore } from './blob-store.js';
import { FilesystemStore } from './filesystem/filesystem-store.js';
import { InstrumentedStore } from './instrumented-store.js';
import { MemoryBudget } from './memory-budget.js';
import { S3Store } from './s3/s3-store.js';

type Open = (config: AppConfig) => BlobStore;

const openFilesystem: Open = ({ server }) => new FilesystemStore(join(server.dataDir, 'blobs'));
const openS3: Open = ({ storage }) => {
  if (storage.s3 === null) throw new StartupError('S3 storage needs the S3_* settings');
  return new S3Store(storage.s3, new MemoryBudget(storage.uploadMemoryBudget));
};

const DRIVERS = { s3: openS3, filesystem: openFilesystem } as const satisfies Record<StorageType, Open>;

async function openStore(config: AppConfig): Promise<InstrumentedStore> {
  const store = new InstrumentedStore(DRIVERS[config.storage.type](config));
  await store.prepare();
  return store;
}

@Module({
  providers: [
    { provide: InstrumentedStore, useFactory: openStore, inject: [AppConfig] },
    { provide: BlobStore, useExisting: InstrumentedStore },
  ],
  exports: [BlobStore, InstrumentedStore],
})
export class StorageModule implements OnApplicationShutdown {
  constructor(@Inject(BlobStore) private readonly store: BlobStore) {}

  async onApplicationShutdown(): Promise<void> {
    await this.store.close();
  }
}
