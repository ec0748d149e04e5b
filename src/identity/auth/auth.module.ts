import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../../cache/cache.module.js';
import { Limiters } from '../../cache/limiters.js';
import { DatabaseModule } from '../../database/database.module.js';
import { EventsModule } from '../../events/events.module.js';
import { HttpModule } from '../../http/http.module.js';
import { LimitsModule } from '../../operations/limits/limits.module.js';
import { OrgsModule } from '../orgs/orgs.module.js';
import { ReposModule } from '../../registry/repos/repos.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccessGuard } from './access.guard.js';
import { AccessTokensService } from './tokens/access-tokens.service.js';
import { ApiKey } from '../keys/api-key.entity.js';
import { ApiKeysRepository } from '../keys/api-keys.repository.js';
import { ApiKeysService } from '../keys/api-keys.service.js';
import { Authenticator } from './authenticator.js';
import { CredentialCleanupService } from './credential-cleanup.service.js';
import { CredentialsService } from './credentials.service.js';
import { JwtGuard, JwtStrategy } from './jwt.strategy.js';
import { KeyUses } from '../keys/key-uses.js';
import { KeysController } from '../keys/keys.controller.js';
import { PrincipalStateService } from './principal-state.service.js';
import { LoginThrottle } from './login-throttle.js';
import { NamedAccess } from './named-access.service.js';
import { OfflineKeysService } from '../keys/offline-keys.service.js';
import { PasswordChangeService } from '../sessions/password-change.service.js';
import { PasswordLoginService } from './password-login.service.js';
import { RefreshToken } from '../sessions/refresh-token.entity.js';
import { RefreshTokensRepository } from '../sessions/refresh-tokens.repository.js';
import { RefreshTokensService } from '../sessions/refresh-tokens.service.js';
import { RevokedCredentialsRepository } from './revoked-credentials.repository.js';
import { RobotKeysController } from '../keys/robot-keys.controller.js';
import { SessionController } from '../sessions/session.controller.js';
import { TokenController } from './tokens/token.controller.js';
import { TokensService } from './tokens/tokens.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([ApiKey, RefreshToken]),
    DatabaseModule,
    CacheModule,
    EventsModule,
    HttpModule,
    LimitsModule,
    UsersModule,
    OrgsModule,
    ReposModule,
  ],
  controllers: [TokenController, SessionController, KeysController, RobotKeysController],
  providers: [
    { provide: APP_GUARD, useClass: AccessGuard },
    AccessTokensService,
    ApiKeysRepository,
    ApiKeysService,
    Authenticator,
    CredentialCleanupService,
    CredentialsService,
    JwtGuard,
    JwtStrategy,
    KeyUses,
    PrincipalStateService,
    { provide: LoginThrottle, inject: [Limiters], useFactory: (limiters: Limiters) => new LoginThrottle(limiters) },
    NamedAccess,
    OfflineKeysService,
    PasswordChangeService,
    PasswordLoginService,
    RefreshTokensRepository,
    RefreshTokensService,
    RevokedCredentialsRepository,
    TokensService,
  ],
  exports: [PrincipalStateService, NamedAccess],
})
export class AuthModule {}
