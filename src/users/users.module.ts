import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../database/database.module.js';
import { EventsModule } from '../events/events.module.js';
import { Identity } from './identity.entity.js';
import { Invitation } from './invitation.entity.js';
import { Namespace } from './namespace.entity.js';
import { PasswordHasher } from './password-hasher.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([User, Identity, Invitation, Namespace]), DatabaseModule, EventsModule],
  controllers: [UsersController],
  providers: [PasswordHasher, UsersRepository, UsersService],
  exports: [UsersService],
})
export class UsersModule {}
