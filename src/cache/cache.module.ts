import { CACHE_MANAGER, type CacheManagerOptions, CacheModule as NestCacheModule } from '@nestjs/cache-manager';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Cache } from 'cache-manager';
import { AppConfig } from '../config/config.js';
import { FactCache } from './fact-cache.js';
import { Limiters } from './limiters.js';
import { MemoryFactCache } from './memory-fact-cache.js';
import { RedisFactCache } from './redis-fact-cache.js';
import { parentChannel } from './parent-channel.js';
import { RedisModule, SharedRedis } from './redis.module.js';
import { UncachedFactCache } from './uncached-fact-cache.js';
import { WorkerFactCache } from './worker-fact-cache.js';

/** Facts may stay in memory only where one process is the whole registry, or several of one node are. */
function openFactCache(config: AppConfig, cache: Cache): FactCache {
  if (config.cache.redis !== null) return new RedisFactCache(cache);
  if (!config.database.embedded) return new UncachedFactCache();
  return config.server.worker === null ? new MemoryFactCache() : new WorkerFactCache(parentChannel());
}

@Module({
  imports: [
    // Without Redis the module's own memory store is made, and nothing uses it.
    NestCacheModule.registerAsync({
      imports: [RedisModule],
      inject: [SharedRedis],
      useFactory: ({ keyv }: SharedRedis): CacheManagerOptions => (keyv === null ? {} : { stores: [keyv] }),
    }),
    RedisModule,
  ],
  providers: [
    { provide: FactCache, inject: [AppConfig, CACHE_MANAGER], useFactory: openFactCache },
    { provide: Limiters, inject: [SharedRedis], useFactory: ({ counts }: SharedRedis) => new Limiters(counts) },
  ],
  exports: [FactCache, Limiters],
})
export class CacheModule implements OnApplicationShutdown {
  constructor(@Inject(CACHE_MANAGER) private readonly cache: Cache) {}

  async onApplicationShutdown(): Promise<void> {
    await this.cache.disconnect();
  }
}
