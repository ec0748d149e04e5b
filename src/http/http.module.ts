import { Module } from '@nestjs/common';
import { AccessLog } from './access-log.js';
import { ProxyHints } from './connections/proxy-hints.js';
import { WriteTurns } from './write-turns.js';

/** What requests of every module have in common. */
@Module({ providers: [AccessLog, ProxyHints, WriteTurns], exports: [AccessLog, ProxyHints, WriteTurns] })
export class HttpModule {}
