import { Module } from '@nestjs/common';
import { AccessLog } from './access-log.js';
import { BodyMemory } from './bodies/body-memory.js';
import { ProxyHints } from './connections/proxy-hints.js';
import { WriteConcurrency } from './write-concurrency.js';

/** What requests of every module have in common. */
@Module({
  providers: [AccessLog, BodyMemory, ProxyHints, WriteConcurrency],
  exports: [AccessLog, BodyMemory, ProxyHints, WriteConcurrency],
})
export class HttpModule {}
