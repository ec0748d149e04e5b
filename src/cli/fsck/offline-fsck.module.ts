import { type DynamicModule, Module } from '@nestjs/common';
import type { AppConfig } from '../../config/config.js';
import { ConfigModule } from '../../config/config.module.js';
import { IntegrityModule } from '../../operations/integrity/integrity.module.js';

/** The check of all blobs without a node around it. */
@Module({})
export class OfflineFsckModule {
  static forRoot(config: AppConfig): DynamicModule {
    return { module: OfflineFsckModule, imports: [ConfigModule.forRoot(config), IntegrityModule] };
  }
}
