import { type DynamicModule, Module } from '@nestjs/common';
import { AuthModule } from '../../identity/auth/auth.module.js';
import type { AppConfig } from '../../config/config.js';
import { ConfigModule } from '../../config/config.module.js';
import { UsersModule } from '../../identity/users/users.module.js';

/** Accounts and keys without a node around them: no store, no collector, no audit of requests. */
@Module({})
export class OfflineAdminModule {
  static forRoot(config: AppConfig): DynamicModule {
    return { module: OfflineAdminModule, imports: [ConfigModule.forRoot(config), UsersModule, AuthModule] };
  }
}
