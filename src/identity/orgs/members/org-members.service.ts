import { Injectable } from '@nestjs/common';
import type { CallingUser } from '../../../access/caller.js';
import { unmakesOwner } from '../../../access/membership-policy.js';
import { type OrgRole, outranks } from '../../../access/roles.js';
import { type Transaction, UnitOfWork } from '../../../database/unit-of-work.js';
import type { EventType } from '../../../events/domain-event.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { NameDisclosure } from '../../users/namespaces/name-lookups.js';
import { UsersService, userSubject } from '../../users/users.service.js';
import { orNotFound } from '../or-not-found.js';
import { InvitationIssuer, type IssuedInvitation } from '../invitations/invitation-issuer.service.js';
import { OrgLookupService, type OrgChange } from '../org-lookup.service.js';
import { requireRight } from './membership-right.js';
import { OrgInvitationsRepository } from '../invitations/org-invitations.repository.js';
import {
  type OrgMemberRow,
  OrgMembersRepository,
  type Part,
  type PeoplePage,
  type Standing,
} from './org-members.repository.js';
import type { OrgRow } from '../orgs.repository.js';

/** Every member's facts are dropped when the default role changes. */
const MAX_MEMBERS = 10_000;
/** Organizations of one user that others put them into: they travel with each of the user's requests. */
const MAX_UNASKED = 500;
/** Organizations of one user who joins another one; what others put them into does not count. */
const MAX_JOINED = 600;

/** A member, or the invitation to a role that needs consent. */
export type MemberOrInvitation = { readonly member: OrgMemberRow } | { readonly invitation: IssuedInvitation };

@Injectable()
export class OrgMembersService {
  constructor(
    private readonly members: OrgMembersRepository,
    private readonly invitations: OrgInvitationsRepository,
    private readonly issuer: InvitationIssuer,
    private readonly live: OrgLookupService,
    private readonly users: UsersService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** In the order of the accounts' creation. Throws `notFound`. */
  async list(orgName: string, page: PeoplePage): Promise<OrgMemberRow[]> {
    const { id } = await this.live.need(orgName);
    return this.members.list(id, page);
  }

  /**
   * Invites an owner, unless it is the caller. Throws `impossible` for a user who cannot be added, `conflict` for one who
   * is a member already.
   */
  async add(
    tx: Transaction,
    orgName: string,
    { username, role }: { username: string; role: OrgRole },
    caller: CallingUser,
  ): Promise<MemberOrInvitation> {
    const { user, actor } = caller;
    const org = await this.live.lock(tx, orgName);
    requireRight({ caller: user, isOwn: false, before: null, after: role }, org);
    const userId = await this.users.lockNamed(tx, username);
    if (userId === null) throw new NameDisclosure('impossible', 'there is no user of this name');
    if (await this.members.part(tx, org.id, userId)) throw new ApiError('conflict', 'the user is a member already');
    const consented = userId === user.id;
    if (role === 'owner' && !consented) {
      return { invitation: await this.issuer.issue(tx, org, { role, invitee: { userId, username } }, caller) };
    }
    await this.join(tx, org, userId, { role, consented });
    const data = { username, role };
    await this.live.record(tx, actor, org, { type: 'member.added', ...memberPart(username, userId), data });
    return { member: orNotFound(await this.members.find(tx, org.id, username)) };
  }

  /**
   * Invites an owner, unless it is the caller. A member whose role is reduced loses the open invitations that they
   * sent, and the one to a higher role. Throws `conflict` for the last owner.
   */
  change(orgName: string, username: string, role: OrgRole, caller: CallingUser): Promise<MemberOrInvitation> {
    return this.unitOfWork.run(async (tx) => {
      const { org, member } = await this.lockForChange(tx, orgName, username, role, caller);
      const { userId } = member;
      const isOwn = userId === caller.user.id;
      if (role === 'owner' && member.role !== 'owner' && !isOwn) {
        return { invitation: await this.issuer.issue(tx, org, { role, invitee: { userId, username } }, caller) };
      }
      // An unchanged role keeps the invitation: only `revoke` deletes it, for those who may give its role.
      if (member.role === role) return { member };
      await this.invitations.deleteOpenFor(tx, org.id, userId);
      await this.members.put(tx, org.id, userId, { role, consented: isOwn });
      if (outranks(member.role, role)) await this.invitations.deleteOpenOf(tx, org.id, userId);
      const data = { username, role, before: member.role };
      await this.live.record(tx, caller.actor, org, { type: 'member.changed', ...memberPart(username, userId), data });
      return { member: { ...member, role } };
    });
  }

  /** From the teams too; every member may leave. Throws `conflict` for the last owner. */
  async remove(orgName: string, username: string, caller: CallingUser): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      const { org, member } = await this.lockForChange(tx, orgName, username, null, caller);
      const { userId, role: before } = member;
      await this.members.remove(tx, org.id, userId);
      await this.invitations.deleteOpenOf(tx, org.id, userId);
      await this.invitations.deleteOpenFor(tx, org.id, userId);
      const change = { type: 'member.removed', ...memberPart(username, userId), data: { username, before } } as const;
      await this.live.record(tx, caller.actor, org, change);
    });
  }

  /**
   * For who accepts an invitation: they keep what they are when that is more. What they are from then on, and were. Throws
   * `impossible` at the limits of both sides. The caller holds the organization and the user.
   */
  async joinByConsent(
    tx: Transaction,
    org: OrgRow,
    userId: number,
    offered: OrgRole,
  ): Promise<{ role: OrgRole; before: OrgRole | null }> {
    const part = await this.members.part(tx, org.id, userId);
    const before = part?.role ?? null;
    const role = before === null || outranks(offered, before) ? offered : before;
    if (part === null) await this.join(tx, org, userId, { role, consented: true });
    else {
      if (!part.consented) await this.requireRoom(tx, userId, true);
      await this.members.put(tx, org.id, userId, { role, consented: true });
    }
    return { role, before };
  }

  /** What decides about the rights of the user with this key, such as `user:7`; `null` for one who cannot log in. */
  standing(tx: Transaction, orgId: number, key: string): Promise<Standing | null> {
    return this.members.standing(tx, orgId, key);
  }

  private async join(tx: Transaction, org: OrgRow, userId: number, part: Part): Promise<void> {
    if ((await this.members.countMembers(tx, org.id)) >= MAX_MEMBERS) {
      throw new ApiError('impossible', `${MAX_MEMBERS} members are the limit`);
    }
    await this.requireRoom(tx, userId, part.consented);
    await this.members.put(tx, org.id, userId, part);
  }

  private async requireRoom(tx: Transaction, userId: number, consented: boolean): Promise<void> {
    const limit = consented ? MAX_JOINED : MAX_UNASKED;
    if ((await this.members.countMemberships(tx, userId, consented)) < limit) return;
    throw new ApiError(
      'impossible',
      consented
        ? `${limit} organizations of one user are the limit: leave one`
        : `the user was put into ${limit} organizations, which is the limit: send an invitation, which they can accept`,
    );
  }

  private async lockForChange(
    tx: Transaction,
    orgName: string,
    username: string,
    after: OrgRole | null,
    { user: caller }: CallingUser,
  ): Promise<{ org: OrgRow; member: OrgMemberRow }> {
    const org = await this.live.lock(tx, orgName);
    const member = orNotFound(await this.members.find(tx, org.id, username));
    const { role: before, userId } = member;
    const isOwn = userId === caller.id;
    requireRight({ caller, isOwn, before, after }, org);
    // Whom others made an owner unasked, before that needed consent, may go all the same.
    const isBound = unmakesOwner({ before, after }) && !(isOwn && !member.consented);
    if (isBound && !(await this.members.hasOwnerBeside(tx, org.id, userId))) {
      throw new ApiError('conflict', 'an organization has an owner: make another one first');
    }
    return { org, member };
  }
}

function memberPart(username: string, userId: number): Pick<OrgChange<EventType>, 'part' | 'stale'> {
  return { part: `member:${username}`, stale: [userSubject(userId)] };
}
