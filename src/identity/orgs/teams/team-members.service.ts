import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../access/actor.js';
import { type Transaction, UnitOfWork } from '../../../database/unit-of-work.js';
import type { EventType } from '../../../events/domain-event.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { UsersService, userSubject } from '../../users/users.service.js';
import { orNotFound } from '../or-not-found.js';
import { OrgLookupService, type OrgChange } from '../org-lookup.service.js';
import { type OrgMemberRow, OrgMembersRepository, type PeoplePage } from '../members/org-members.repository.js';
import { type TeamMemberRow, TeamMembersRepository } from './team-members.repository.js';
import type { TeamRow } from './teams.repository.js';
import { TeamsService } from './teams.service.js';

/** Of one user: they travel with each of its requests. */
const MAX_TEAMS = 1000;
/** In organizations that others put the user into, who do not use up the rest of the teams. */
const MAX_UNASKED = 300;

export interface TeamPath {
  readonly org: string;
  readonly team: string;
}

@Injectable()
export class TeamMembersService {
  constructor(
    private readonly members: TeamMembersRepository,
    private readonly orgMembers: OrgMembersRepository,
    private readonly teams: TeamsService,
    private readonly live: OrgLookupService,
    private readonly users: UsersService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** In the order of the accounts' creation. Throws `notFound`. */
  async list({ org, team }: TeamPath, page: PeoplePage): Promise<TeamMemberRow[]> {
    const { id } = await this.teams.read(org, team);
    return this.members.list(id, page);
  }

  /** Throws `impossible` for a user outside the organization, `conflict` for one in the team. */
  async add(
    tx: Transaction,
    path: TeamPath,
    { username, maintainer = false }: { username: string; maintainer?: boolean | undefined },
    actor: Actor,
  ): Promise<TeamMemberRow> {
    const { org, team } = await this.teams.lock(tx, path.org, path.team);
    const user = await this.orgMembers.find(tx, org.id, username);
    if (!user || (await this.users.lockNamed(tx, username)) !== user.userId)
      throw new ApiError('impossible', 'there is no member of the organization of this name');
    if (await this.members.find(tx, team.id, username))
      throw new ApiError('conflict', 'the user is in the team already');
    await this.requireRoom(tx, user);
    await this.members.insert(tx, team.id, user.userId, maintainer);
    const member = orNotFound(await this.members.find(tx, team.id, username));
    const data = { team: team.name, username, maintainer };
    await this.live.record(tx, actor, org, { type: 'team.member.added', ...memberPart(team, member), data });
    return member;
  }

  change(path: TeamPath, username: string, maintainer: boolean, actor: Actor): Promise<TeamMemberRow> {
    return this.unitOfWork.run(async (tx) => {
      const { org, team } = await this.teams.lock(tx, path.org, path.team);
      const member = orNotFound(await this.members.find(tx, team.id, username));
      if (member.maintainer === maintainer) return member;
      await this.members.update(tx, team.id, member.userId, maintainer);
      const data = { team: team.name, username, maintainer };
      await this.live.record(tx, actor, org, { type: 'team.member.changed', ...memberPart(team, member), data });
      return { ...member, maintainer };
    });
  }

  async remove(path: TeamPath, username: string, actor: Actor): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      const { org, team } = await this.teams.lock(tx, path.org, path.team);
      const member = orNotFound(await this.members.find(tx, team.id, username));
      await this.members.delete(tx, team.id, member.userId);
      const data = { team: team.name, username };
      await this.live.record(tx, actor, org, { type: 'team.member.removed', ...memberPart(team, member), data });
    });
  }

  private async requireRoom(tx: Transaction, { userId, consented }: OrgMemberRow): Promise<void> {
    const count = await this.members.countTeams(tx, userId);
    if (consented && count.consented >= MAX_TEAMS - MAX_UNASKED) {
      throw new ApiError('impossible', `${MAX_TEAMS - MAX_UNASKED} teams of one user are the limit`);
    }
    if (!consented && (count.all >= MAX_TEAMS || count.all - count.consented >= MAX_UNASKED)) {
      throw new ApiError(
        'impossible',
        'the user was put into too many teams of organizations that they did not join: send an invitation to yours',
      );
    }
  }
}

function memberPart(team: TeamRow, { username, userId }: TeamMemberRow): Pick<OrgChange<EventType>, 'part' | 'stale'> {
  return { part: `team:${team.name}/member:${username}`, stale: [userSubject(userId)] };
}
