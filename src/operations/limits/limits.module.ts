import { Module } from '@nestjs/common';
import { CacheModule } from '../../cache/cache.module.js';
import { RequestLimitsService } from './request-limits.service.js';

/** How much of what one client may ask for. */
@Module({ imports: [CacheModule], providers: [RequestLimitsService], exports: [RequestLimitsService] })
export class LimitsModule {}
