import { Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.js';
import { mayChangeMembership, unmakesOwner } from '../access/membership-policy.js';
import { orgRoleOf } from '../access/organization-policy.js';
import type { UserPrincipal } from '../access/principal.js';
import { type OrgRole, outranks } from '../access/roles.js';
import { type Transaction, UnitOfWork } from '../database/unit-of-work.js';
import { ApiError } from '../http/api-error.js';
import { NameDisclosure } from '../users/name-lookups.js';
import { UsersService, userSubject } from '../users/users.service.js';
import { found } from './found.js';
import { LiveOrgsService } from './live-orgs.service.js';
import { OrgInvitationsRepository } from './org-invitations.repository.js';
import { type OrgMemberRow, MAX_MEMBERSHIPS, OrgMembersRepository, type PeoplePage } from './org-members.repository.js';
import type { OrgRow } from './orgs.repository.js';

/** Every member's facts are dropped when the default role changes. */
const MAX_MEMBERS = 10_000;

/** Who asks for a change, and how histories keep them. */
export interface Manager {
  readonly caller: UserPrincipal;
  readonly actor: Actor;
}

export interface NewMember {
  readonly userId: number;
  readonly role: OrgRole;
  /** How many organizations the user may be in. */
  readonly limit: number;
}

@Injectable()
export class OrgMembersService {
  constructor(
    private readonly members: OrgMembersRepository,
    private readonly invitations: OrgInvitationsRepository,
    private readonly live: LiveOrgsService,
    private readonly users: UsersService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** In the order of the accounts' creation. Throws `notFound`. */
  async list(orgName: string, page: PeoplePage): Promise<OrgMemberRow[]> {
    const { id } = await this.live.need(orgName);
    return this.members.list(id, page);
  }

  /** Throws `impossible` for a user who cannot be added, `conflict` for one who is a member already. */
  async add(
    tx: Transaction,
    orgName: string,
    { username, role }: { username: string; role: OrgRole },
    { caller, actor }: Manager,
  ): Promise<OrgMemberRow> {
    const org = await this.live.lock(tx, orgName);
    requireRight({ caller, isOwn: false, before: null, after: role }, org);
    const userId = await this.users.lockNamed(tx, username);
    if (userId === null) throw new NameDisclosure('impossible', 'there is no user of this name');
    if (await this.members.role(tx, org.id, userId)) throw new ApiError('conflict', 'the user is a member already');
    await this.join(tx, org, { userId, role, limit: MAX_MEMBERSHIPS });
    await this.record(tx, actor, org, { action: 'member.add', userId, username, detail: { role } });
    return found(await this.members.find(tx, org.id, username));
  }

  /** Whoever is made less loses the open invitations that they sent. Throws `conflict` for the last owner. */
  change(orgName: string, username: string, role: OrgRole, manager: Manager): Promise<OrgMemberRow> {
    return this.unitOfWork.run(async (tx) => {
      const { org, member } = await this.lockForChange(tx, orgName, username, role, manager);
      if (member.role === role) return member;
      await this.members.put(tx, org.id, member.userId, role);
      if (outranks(member.role, role)) await this.invitations.deleteOpenOf(tx, org.id, member.userId);
      const detail = { role, before: member.role };
      await this.record(tx, manager.actor, org, { action: 'member.update', userId: member.userId, username, detail });
      return { ...member, role };
    });
  }

  /** From the teams too; everybody may leave. Throws `conflict` for the last owner. */
  async remove(orgName: string, username: string, manager: Manager): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      const { org, member } = await this.lockForChange(tx, orgName, username, null, manager);
      await this.members.remove(tx, org.id, member.userId);
      await this.invitations.deleteOpenOf(tx, org.id, member.userId);
      const detail = { before: member.role };
      await this.record(tx, manager.actor, org, { action: 'member.remove', userId: member.userId, username, detail });
    });
  }

  /** Within the limits of both sides, which throw `impossible`. The caller holds the organization. */
  async join(tx: Transaction, org: OrgRow, { userId, role, limit }: NewMember): Promise<void> {
    if ((await this.members.countMembers(tx, org.id)) >= MAX_MEMBERS) {
      throw new ApiError('impossible', `${MAX_MEMBERS} members are the limit`);
    }
    if ((await this.members.countMemberships(tx, userId)) >= limit) {
      throw new ApiError('impossible', `${limit} organizations of one user are the limit`);
    }
    await this.members.put(tx, org.id, userId, role);
  }

  private async lockForChange(
    tx: Transaction,
    orgName: string,
    username: string,
    after: OrgRole | null,
    { caller }: Manager,
  ): Promise<{ org: OrgRow; member: OrgMemberRow }> {
    const org = await this.live.lock(tx, orgName);
    const member = found(await this.members.find(tx, org.id, username));
    const { role: before, userId } = member;
    requireRight({ caller, isOwn: userId === caller.id, before, after }, org);
    if (unmakesOwner({ before, after }) && !(await this.members.hasOwnerBeside(tx, org.id, userId))) {
      throw new ApiError('conflict', 'an organization has an owner: make another one first');
    }
    return { org, member };
  }

  private record(
    tx: Transaction,
    actor: Actor,
    org: OrgRow,
    { action, userId, username, detail }: { action: string; userId: number; username: string; detail: object },
  ): Promise<void> {
    const change = { action, part: `member:${username}`, detail: { ...detail } };
    return this.live.record(tx, actor, org, change, [userSubject(userId)]);
  }
}

interface AskedChange {
  readonly caller: UserPrincipal;
  readonly isOwn: boolean;
  readonly before: OrgRole | null;
  readonly after: OrgRole | null;
}

function requireRight({ caller, ...change }: AskedChange, { name }: OrgRow): void {
  if (!mayChangeMembership({ ...change, caller: orgRoleOf(caller, name) })) throw new ApiError('denied');
}
