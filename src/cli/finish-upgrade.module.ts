import { type DynamicModule, Module } from '@nestjs/common';
import type { AppConfig } from '../config/config.js';
import { ConfigModule } from '../config/config.module.js';
import { UpgradesModule } from '../upgrades/upgrades.module.js';

/** What `aerugo migrate --finish` needs of a node. */
@Module({})
export class FinishUpgradeModule {
  static forRoot(config: AppConfig): DynamicModule {
    return { module: FinishUpgradeModule, imports: [ConfigModule.forRoot(config), UpgradesModule] };
  }
}
