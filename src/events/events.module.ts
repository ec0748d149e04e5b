import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../cache/cache.module.js';
import { DatabaseModule } from '../database/database.module.js';
import { EventHandlers } from './event-handlers.js';
import { EventOutbox } from './event-outbox.js';
import { EventsService } from './events.service.js';
import { FactDrops } from './fact-drops.js';
import { OutboxEvent } from './outbox-event.entity.js';
import { OutboxRelay } from './outbox.relay.js';
import { OutboxService } from './outbox.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([OutboxEvent]), DatabaseModule, CacheModule],
  providers: [EventHandlers, EventOutbox, EventsService, OutboxService, FactDrops, OutboxRelay],
  exports: [EventHandlers, EventOutbox, EventsService, FactDrops],
})
export class EventsModule {}
