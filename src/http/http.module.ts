import { Module } from '@nestjs/common';
import { AccessLog } from './access-log.js';
import { WriteTurns } from './write-turns.js';

/** What requests of every module have in common. */
@Module({ providers: [AccessLog, WriteTurns], exports: [AccessLog, WriteTurns] })
export class HttpModule {}
