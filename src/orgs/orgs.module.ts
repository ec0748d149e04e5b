import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../database/database.module.js';
import { EventsModule } from '../events/events.module.js';
import { UsersModule } from '../users/users.module.js';
import { MembershipsRepository } from './memberships.repository.js';
import { MembershipsService } from './memberships.service.js';
import { OrgInvitation } from './org-invitation.entity.js';
import { OrgMember } from './org-member.entity.js';
import { Org } from './org.entity.js';
import { Robot } from './robot.entity.js';
import { RobotsRepository } from './robots.repository.js';
import { RobotsService } from './robots.service.js';
import { TeamMember } from './team-member.entity.js';
import { Team } from './team.entity.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([Org, OrgMember, OrgInvitation, Team, TeamMember, Robot]),
    DatabaseModule,
    EventsModule,
    UsersModule,
  ],
  providers: [MembershipsRepository, MembershipsService, RobotsRepository, RobotsService],
  exports: [MembershipsService, RobotsService],
})
export class OrgsModule {}
