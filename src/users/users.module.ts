import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../cache/cache.module.js';
import { DatabaseModule } from '../database/database.module.js';
import { Identity } from './identity.entity.js';
import { Namespace } from './namespace.entity.js';
import { PasswordHasher } from './password-hasher.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([User, Identity, Namespace]), DatabaseModule, CacheModule],
  controllers: [UsersController],
  providers: [PasswordHasher, UsersRepository, UsersService],
  exports: [UsersService],
})
export class UsersModule {}
