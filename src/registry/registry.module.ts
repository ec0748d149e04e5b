import { Module } from '@nestjs/common';
import { ReposModule } from '../repos/repos.module.js';
import { BaseController } from './base.controller.js';
import { CatalogController } from './catalog.controller.js';

@Module({ imports: [ReposModule], controllers: [BaseController, CatalogController] })
export class RegistryModule {}
