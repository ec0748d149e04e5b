import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../database/database.module.js';
import { EventsModule } from '../events/events.module.js';
import { UsersModule } from '../users/users.module.js';
import { InvitationIssuer } from './invitations/invitation-issuer.service.js';
import { ReceivedInvitationsService } from './invitations/received-invitations.service.js';
import { LiveOrgsService } from './live-orgs.service.js';
import { MembershipsRepository } from './memberships.repository.js';
import { MembershipsService } from './memberships.service.js';
import { OrgInvitationAcceptanceController } from './org-invitation-acceptance.controller.js';
import { OrgInvitation } from './org-invitation.entity.js';
import { OrgInvitationsController } from './org-invitations.controller.js';
import { OrgInvitationsRepository } from './org-invitations.repository.js';
import { OrgInvitationsService } from './org-invitations.service.js';
import { OrgMember } from './org-member.entity.js';
import { OrgMembersController } from './org-members.controller.js';
import { OrgMembersRepository } from './org-members.repository.js';
import { OrgMembersService } from './org-members.service.js';
import { Org } from './org.entity.js';
import { OrgsController } from './orgs.controller.js';
import { OrgsRepository } from './orgs.repository.js';
import { OrgsService } from './orgs.service.js';
import { Robot } from './robot.entity.js';
import { RobotsController } from './robots.controller.js';
import { RobotsRepository } from './robots.repository.js';
import { RobotsService } from './robots.service.js';
import { TeamMember } from './team-member.entity.js';
import { TeamMembersController } from './team-members.controller.js';
import { TeamMembersRepository } from './team-members.repository.js';
import { TeamMembersService } from './team-members.service.js';
import { Team } from './team.entity.js';
import { TeamsController } from './teams.controller.js';
import { TeamsRepository } from './teams.repository.js';
import { TeamsService } from './teams.service.js';

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
    LiveOrgsService,
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
