import { Module } from '@nestjs/common';
import { AppConfig } from '../config/config.js';
import { FactCache } from './fact-cache.js';
import { MemoryFactCache } from './memory-fact-cache.js';
import { UncachedFactCache } from './uncached-fact-cache.js';

function openFactCache(config: AppConfig): FactCache {
  return config.database.embedded ? new MemoryFactCache() : new UncachedFactCache();
}

@Module({
  providers: [{ provide: FactCache, inject: [AppConfig], useFactory: openFactCache }],
  exports: [FactCache],
})
export class CacheModule {}
