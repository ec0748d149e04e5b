import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { join } from 'node:path';
import { AppConfig } from '../config/config.js';
import type { StorageType } from '../config/config-values.js';
import { StartupError } from '../config/startup-error.js';
import { BlobStore } from './blob-store.js';
import { FilesystemStore } from './filesystem/filesystem-store.js';
import { InstrumentedStore } from './instrumented-store.js';

type Open = (config: AppConfig) => BlobStore;

const openFilesystem: Open = ({ server }) => new FilesystemStore(join(server.dataDir, 'blobs'));
const openS3: Open = () => {
  throw new StartupError('STORAGE_TYPE=s3 comes with the next commit');
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
