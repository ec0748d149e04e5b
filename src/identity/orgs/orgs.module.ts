import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../../database/database.module.js';
import { EventsModule } from '../../events/events.module.js';
import { UsersModule } from '../users/users.module.js';
import { InvitationIssuer } from './invitations/invitation-issuer.service.js';
import { ReceivedInvitationsService } from './invitations/received-invitations.service.js';
import { OrgCleanupService } from './org-cleanup.service.js';
import { OrgLookupService } from './org-lookup.service.js';
import { MembershipsRepository } from './members/memberships.repository.js';
import { MembershipsService } from './members/memberships.service.js';
import { OrgInvitationAcceptanceController } from './invitations/org-invitation-acceptance.controller.js';
import { OrgInvitation } from './invitations/org-invitation.entity.js';
import { OrgInvitationsController } from './invitations/org-invitations.controller.js';
import { OrgInvitationsRepository } from './invitations/org-invitations.repository.js';
import { OrgInvitationsService } from './invitations/org-invitations.service.js';
import { OrgMember } from './members/org-member.entity.js';
import { OrgMembersController } from './members/org-members.controller.js';
import { OrgMembersRepository } from './members/org-members.repository.js';
import { OrgMembersService } from './members/org-members.service.js';
import { Org } from './org.entity.js';
import { OrgsController } from './orgs.controller.js';
import { OrgsRepository } from './orgs.repository.js';
import { OrgsService } from './orgs.service.js';
import { Robot } from './robots/robot.entity.js';
import { RobotsController } from './robots/robots.controller.js';
import { RobotsRepository } from './robots/robots.repository.js';
import { RobotsService } from './robots/robots.service.js';
import { TeamMember } from './teams/team-member.entity.js';
import { TeamMembersController } from './teams/team-members.controller.js';
import { TeamMembersRepository } from './teams/team-members.repository.js';
import { TeamMembersService } from './teams/team-members.service.js';
import { Team } from './teams/team.entity.js';
import { TeamsController } from './teams/teams.controller.js';
import { TeamsRepository } from './teams/teams.repository.js';
import { TeamsService } from './teams/teams.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([Org, OrgMember, OrgInvitation, Team, TeamMember, Robot]),
    DatabaseModule,
    EventsModule,
    UsersModule,
  ],
  controllers: [
    OrgInvitationAcceptanceController,
    OrgInvitationsController,
    OrgMembersController,
    OrgsController,
    RobotsController,
    TeamMembersController,
    TeamsController,
  ],
  providers: [
    InvitationIssuer,
    OrgCleanupService,
    OrgLookupService,
    MembershipsRepository,
    MembershipsService,
    OrgInvitationsRepository,
    OrgInvitationsService,
    OrgMembersRepository,
    OrgMembersService,
    OrgsRepository,
    OrgsService,
    ReceivedInvitationsService,
    RobotsRepository,
    RobotsService,
    TeamMembersRepository,
    TeamMembersService,
    TeamsRepository,
    TeamsService,
  ],
  exports: [MembershipsService, OrgsService, RobotsService, TeamsService],
})
export class OrgsModule {}
