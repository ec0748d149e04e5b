import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../../cache/cache.module.js';
import { DatabaseModule } from '../../database/database.module.js';
import { EventsModule } from '../../events/events.module.js';
import { AccountDeletionRepository } from './account-deletion.repository.js';
import { AccountDeletionService } from './account-deletion.service.js';
import { AccountsService } from './accounts.service.js';
import { Identity } from './identity.entity.js';
import { Invitation } from './invitations/invitation.entity.js';
import { InvitationsController } from './invitations/invitations.controller.js';
import { InvitationsRepository } from './invitations/invitations.repository.js';
import { InvitationsService } from './invitations/invitations.service.js';
import { Namespace } from './namespaces/namespace.entity.js';
import { NameLookups } from './namespaces/name-lookups.js';
import { NamespacesController } from './namespaces/namespaces.controller.js';
import { NamespacesRepository } from './namespaces/namespaces.repository.js';
import { NamespacesService } from './namespaces/namespaces.service.js';
import { OfflineUsersService } from './offline-users.service.js';
import { PasswordHasher } from './password-hasher.js';
import { SignUpGuard } from './sign-up.guard.js';
import { SignUpThrottle } from './sign-up-throttle.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([User, Identity, Invitation, Namespace]),
    DatabaseModule,
    CacheModule,
    EventsModule,
  ],
  controllers: [UsersController, InvitationsController, NamespacesController],
  providers: [
    AccountDeletionRepository,
    AccountDeletionService,
    AccountsService,
    InvitationsRepository,
    InvitationsService,
    NameLookups,
    NamespacesRepository,
    NamespacesService,
    OfflineUsersService,
    PasswordHasher,
    SignUpGuard,
    SignUpThrottle,
    UsersRepository,
    UsersService,
  ],
  exports: [AccountDeletionService, AccountsService, NameLookups, OfflineUsersService, UsersService],
})
export class UsersModule {}
