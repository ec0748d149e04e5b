import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../cache/cache.module.js';
import { DatabaseModule } from '../database/database.module.js';
import { EventsModule } from '../events/events.module.js';
import { ReposModule } from '../repos/repos.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccessGuard } from './access.guard.js';
import { AccessTokensService } from './access-tokens.service.js';
import { ApiKey } from './api-key.entity.js';
import { Authenticator } from './authenticator.js';
import { JwtGuard, JwtStrategy } from './jwt.strategy.js';
import { LiveUsersService } from './live-users.service.js';
import { LoginThrottle } from './login-throttle.js';
import { PasswordLoginService } from './password-login.service.js';
import { RefreshToken } from './refresh-token.entity.js';
import { RefreshTokensRepository } from './refresh-tokens.repository.js';
import { RefreshTokensService } from './refresh-tokens.service.js';
import { SessionController } from './session.controller.js';
import { TokenController } from './token.controller.js';
import { TokensService } from './tokens.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([ApiKey, RefreshToken]),
    DatabaseModule,
    CacheModule,
    EventsModule,
    UsersModule,
    ReposModule,
  ],
  controllers: [TokenController, SessionController],
  providers: [
    { provide: APP_GUARD, useClass: AccessGuard },
    AccessTokensService,
    Authenticator,
    JwtGuard,
    JwtStrategy,
    LiveUsersService,
    { provide: LoginThrottle, useFactory: () => new LoginThrottle() },
    PasswordLoginService,
    RefreshTokensRepository,
    RefreshTokensService,
    TokensService,
  ],
})
export class AuthModule {}
