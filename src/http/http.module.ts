import { Module } from '@nestjs/common';
import { AccessLog } from './access-log.js';

/** What requests of every module have in common. */
@Module({ providers: [AccessLog], exports: [AccessLog] })
export class HttpModule {}
