import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { join } from 'node:path';
import { AppConfig } from '../config/config.js';
import type { StorageType } from '../config/config-values.js';
import { StartupError } from '../config/startup-error.js';
import { Proxies } from '../outgoing/proxies.js';
import { BlobStore } from './blob-store.js';
import { InstrumentedStore } from './instrumented-store.js';

type Open = (config: AppConfig) => Promise<InstrumentedStore>;

// Each driver is loaded only where it is used: the S3 client takes time and memory to load.
const openFilesystem: Open = async ({ server }) => {
  const { FilesystemStore } = await import('./filesystem/filesystem-store.js');
  return new InstrumentedStore(new FilesystemStore(join(server.dataDir, 'blobs')));
};

const openS3: Open = async ({ storage, server }) => {
  if (storage.s3 === null) throw new StartupError('S3 storage needs the S3_* settings');
  const [{ S3Store }, { MemoryBudget }] = await Promise.all([import('./s3/s3-store.js'), import('./memory-budget.js')]);
  const memory = new MemoryBudget(storage.uploadMemoryBudget);
  return new InstrumentedStore(new S3Store(storage.s3, memory, new Proxies(server.proxies)), memory);
};

const DRIVERS = { s3: openS3, filesystem: openFilesystem } as const satisfies Record<StorageType, Open>;

async function openStore(config: AppConfig): Promise<InstrumentedStore> {
  const store = await DRIVERS[config.storage.type](config);
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
