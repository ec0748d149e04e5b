import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Membership, TeamMembership } from '../../../access/principal.js';
import { OrgMember } from './org-member.entity.js';

const MEMBERSHIPS = `
SELECT o.id AS "orgId", o.namespace_id AS "namespaceId", n.name AS org, m.role, o.default_role AS "defaultRole"
FROM org_members m JOIN orgs o ON o.id = m.org_id JOIN namespaces n ON n.id = o.namespace_id
WHERE m.user_id = $1 AND o.deleted_at IS NULL ORDER BY n.name`;

const TEAMS = `
SELECT t.id, t.org_id AS "orgId", t.name, m.maintainer
FROM team_members m JOIN teams t ON t.id = m.team_id
WHERE m.user_id = $1 ORDER BY t.id`;

/** What a user is in the organizations of the registry, as every request asks it. */
@Injectable()
export class MembershipsRepository {
  constructor(@InjectRepository(OrgMember) private readonly members: Repository<OrgMember>) {}

  memberships(userId: number): Promise<Membership[]> {
    return this.members.manager.query(MEMBERSHIPS, [userId]);
  }

  teams(userId: number): Promise<TeamMembership[]> {
    return this.members.manager.query(TEAMS, [userId]);
  }
}
