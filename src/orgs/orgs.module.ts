import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { OrgMember } from './org-member.entity.js';
import { Org } from './org.entity.js';
import { Robot } from './robot.entity.js';
import { TeamMember } from './team-member.entity.js';
import { Team } from './team.entity.js';

@Module({ imports: [TypeOrmModule.forFeature([Org, OrgMember, Team, TeamMember, Robot])] })
export class OrgsModule {}
