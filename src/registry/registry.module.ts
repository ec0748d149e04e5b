import { type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';
import { v2Middleware } from './v2.middleware.js';

@Module({})
export class RegistryModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(v2Middleware).forRoutes('v2', 'v2/*path');
  }
}
