import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TokenSecret } from './token-secret.entity.js';
import { TokenSecretsRepository } from './token-secrets.repository.js';
import { TokenSecretsService } from './token-secrets.service.js';

/** Apart from `AuthModule`, which the command line loads too: it is no node that accepts tokens. */
@Module({
  imports: [TypeOrmModule.forFeature([TokenSecret])],
  providers: [TokenSecretsRepository, TokenSecretsService],
})
export class TokenSecretsModule {}
