import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../access/actor.js';
import { type Transaction, UnitOfWork } from '../../../database/unit-of-work.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { unchangedSince } from '../../../http/validation/conditional-update.js';
import { userSubject } from '../../users/users.service.js';
import { orNotFound } from '../or-not-found.js';
import { OrgLookupService } from '../org-lookup.service.js';
import type { OrgRow, OrgsPage } from '../orgs.repository.js';
import { TeamMembersRepository } from './team-members.repository.js';
import { type TeamRow, TeamsRepository } from './teams.repository.js';

/** Of one organization. */
const MAX_TEAMS = 1000;

/** A team, and the namespace of its organization. */
export interface NamedTeam {
  readonly id: number;
  readonly name: string;
  readonly namespaceId: number;
}

export interface TeamDraft {
  readonly name: string;
  readonly description?: string | undefined;
}

@Injectable()
export class TeamsService {
  constructor(
    private readonly teams: TeamsRepository,
    private readonly members: TeamMembersRepository,
    private readonly live: OrgLookupService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async find(orgName: string, name: string): Promise<NamedTeam | null> {
    const org = await this.live.find(orgName);
    const team = org && (await this.teams.find(org.id, name));
    return org && team && { id: team.id, name: team.name, namespaceId: org.namespaceId };
  }

  /** Throws `notFound`. */
  async read(orgName: string, name: string): Promise<TeamRow> {
    const { id } = await this.live.need(orgName);
    return orNotFound(await this.teams.find(id, name));
  }

  /** By name. Throws `notFound`. */
  async list(orgName: string, page: OrgsPage): Promise<TeamRow[]> {
    const { id } = await this.live.need(orgName);
    return this.teams.list(id, page);
  }

  /** Throws `nameTaken`, and `impossible` when there are too many. */
  async create(tx: Transaction, orgName: string, draft: TeamDraft, actor: Actor): Promise<TeamRow> {
    const org = await this.live.lock(tx, orgName);
    const { name, description = '' } = draft;
    if (await this.teams.findIn(tx, org.id, name)) throw new ApiError('nameTaken');
    if ((await this.teams.count(tx, org.id)) >= MAX_TEAMS) {
      throw new ApiError('impossible', `${MAX_TEAMS} teams are the limit`);
    }
    const team = await this.teams.insert(tx, org.id, name, description);
    const data = { team: name, description };
    await this.live.record(tx, actor, org, { type: 'team.created', part: `team:${name}`, data });
    return team;
  }

  /** A new name counts on each member's next request. Throws `notFound`, `nameTaken` and `preconditionFailed`. */
  update(
    orgName: string,
    teamName: string,
    changes: Partial<TeamDraft>,
    { actor, ifMatch }: { actor: Actor; ifMatch: string | undefined },
  ): Promise<TeamRow> {
    return this.unitOfWork.run(async (tx) => {
      const { org, team: before } = await this.lock(tx, orgName, teamName);
      unchangedSince(ifMatch, before);
      const { name = before.name, description = before.description } = changes;
      const isRenamed = name !== before.name;
      if (!isRenamed && description === before.description) return before;
      if (isRenamed && (await this.teams.findIn(tx, org.id, name))) throw new ApiError('nameTaken');
      const after = await this.teams.update(tx, { ...before, name, description });
      const stale = isRenamed ? await this.subjects(tx, before.id) : [];
      await this.live.record(tx, actor, org, {
        type: 'team.updated',
        part: `team:${before.name}`,
        data: { team: before.name, name: changes.name, description: changes.description },
        stale,
      });
      return after;
    });
  }

  /** With what it was granted. Throws `notFound`. */
  async delete(orgName: string, name: string, actor: Actor): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      const { org, team } = await this.lock(tx, orgName, name);
      const stale = await this.subjects(tx, team.id);
      await this.teams.delete(tx, team.id);
      await this.live.record(tx, actor, org, {
        type: 'team.deleted',
        part: `team:${name}`,
        data: { team: name },
        stale,
      });
    });
  }

  /** The transaction becomes the only writer of the organization. Throws `notFound`. */
  async lock(tx: Transaction, orgName: string, name: string): Promise<{ org: OrgRow; team: TeamRow }> {
    const org = await this.live.lock(tx, orgName);
    return { org, team: orNotFound(await this.teams.findIn(tx, org.id, name)) };
  }

  private async subjects(tx: Transaction, teamId: number): Promise<ReturnType<typeof userSubject>[]> {
    return (await this.members.userIds(tx, teamId)).map(userSubject);
  }
}
