import { type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';
import { ReposModule } from '../repos/repos.module.js';
import { BaseController } from './base.controller.js';
import { CatalogController } from './catalog.controller.js';
import { v2Middleware } from './v2.middleware.js';

@Module({ imports: [ReposModule], controllers: [BaseController, CatalogController] })
export class RegistryModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(v2Middleware).forRoutes('v2', 'v2/*path');
  }
}
