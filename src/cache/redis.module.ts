import { Module } from '@nestjs/common';
import type { Keyv } from 'keyv';
import { AppConfig } from '../config/config.js';
import type { CountClient } from './limiters.js';

/** The one way of this process to Redis; `null` each without it. */
export class SharedRedis {
  constructor(
    readonly counts: CountClient | null,
    readonly keyv: Keyv | null,
  ) {}
}

async function openShared({ cache: { redis } }: AppConfig): Promise<SharedRedis> {
  if (redis === null) return new SharedRedis(null, null);
  const { keyvOver, linkRedis } = await import('./redis-connection.js'); // 20 MB that most small registries do not need
  const link = linkRedis(redis);
  return new SharedRedis(() => link.commands, keyvOver(link));
}

@Module({
  providers: [{ provide: SharedRedis, inject: [AppConfig], useFactory: openShared }],
  exports: [SharedRedis],
})
export class RedisModule {}
