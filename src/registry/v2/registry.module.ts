import { Module } from '@nestjs/common';
import { AuthModule } from '../../identity/auth/auth.module.js';
import { ReposModule } from '../repos/repos.module.js';
import { BaseController } from './base.controller.js';
import { CatalogController } from './catalog.controller.js';
import { PushRights } from './push-rights.service.js';

@Module({
  imports: [AuthModule, ReposModule],
  controllers: [BaseController, CatalogController],
  providers: [PushRights],
  exports: [PushRights],
})
export class RegistryModule {}
