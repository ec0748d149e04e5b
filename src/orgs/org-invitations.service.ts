import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import type { Actor } from '../access/actor.js';
import { mayChangeMembership } from '../access/membership-policy.js';
import { orgRoleOf, standingOf } from '../access/organization-policy.js';
import { type UserPrincipal, principalKey } from '../access/principal.js';
import { type OrgRole, outranks } from '../access/roles.js';
import { type Transaction, UnitOfWork } from '../database/unit-of-work.js';
import { ApiError } from '../http/api-error.js';
import { UsersService, userSubject } from '../users/users.service.js';
import { LiveOrgsService } from './live-orgs.service.js';
import {
  type AcceptedInvitation,
  type InvitationsPage,
  type OrgInvitationRow,
  OrgInvitationsRepository,
} from './org-invitations.repository.js';
import { MAX_MEMBERSHIPS, OrgMembersRepository } from './org-members.repository.js';
import { type Manager, OrgMembersService } from './org-members.service.js';
import type { OrgWithRole } from './orgs.repository.js';

const DEFAULT_LIFE_MS = 7 * 86_400_000;
/** Of one organization. */
const MAX_OPEN = 500;
/** Organizations of a user who joins one: those that others may put them into leave as many for themselves. */
const MAX_ACCEPTED = 2 * MAX_MEMBERSHIPS;
/** 160 bits: nobody guesses one, so a plain hash hides it. */
const CODE_BYTES = 20;

export interface InvitationDraft {
  readonly role: OrgRole;
  readonly note?: string | undefined;
  readonly expiresAt?: string | undefined;
}

export interface IssuedInvitation extends Omit<OrgInvitationRow, 'sequence'> {
  /** Nobody can show it again. */
  readonly code: string;
}

/** Codes that make whoever has one a member. */
@Injectable()
export class OrgInvitationsService {
  constructor(
    private readonly invitations: OrgInvitationsRepository,
    private readonly members: OrgMembersRepository,
    private readonly memberships: OrgMembersService,
    private readonly live: LiveOrgsService,
    private readonly users: UsersService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Open ones, the oldest first. Throws `notFound`. */
  async list(orgName: string, page: InvitationsPage): Promise<OrgInvitationRow[]> {
    const { id } = await this.live.need(orgName);
    return this.invitations.list(id, page);
  }

  async create(
    tx: Transaction,
    orgName: string,
    { role, note, expiresAt: until }: InvitationDraft,
    { caller, actor }: Manager,
  ): Promise<IssuedInvitation> {
    const org = await this.live.lock(tx, orgName);
    requireRight(caller, org.name, role);
    if ((await this.invitations.countOpen(tx, org.id)) >= MAX_OPEN) {
      throw new ApiError('impossible', `${MAX_OPEN} open invitations are the limit`);
    }
    const expiresAt = new Date(until ?? Date.now() + DEFAULT_LIFE_MS);
    const [id, code] = [randomUUID(), `aerugo_inv_${randomBytes(CODE_BYTES).toString('hex')}`];
    const shown = { id, role, note: note ?? null, expiresAt };
    const hidden = { orgId: org.id, lookup: lookupOf(code), createdBy: principalKey(caller) };
    const { createdAt } = await this.invitations.insert(tx, { ...shown, ...hidden });
    const detail = { role, expiresAt: expiresAt.toISOString() };
    await this.live.record(tx, actor, org, { action: 'invitation.create', part: `invitation:${id}`, detail });
    return { ...shown, createdBy: caller.username, createdAt, code };
  }

  /** Throws `notFound` for one that is not open, `denied` for an owner's when the caller is none. */
  async revoke(orgName: string, id: string, { caller, actor }: Manager): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      const org = await this.live.lock(tx, orgName);
      const role = isUUID(id) ? await this.invitations.deleteOpen(tx, org.id, id) : null;
      if (!role) throw new ApiError('notFound');
      requireRight(caller, org.name, role);
      const change = { action: 'invitation.revoke', part: `invitation:${id}`, detail: { role } };
      await this.live.record(tx, actor, org, change);
    });
  }

  /**
   * Makes the user a member; whoever is one already with more keeps it. Throws `impossible` for a code that is void, as
   * it is when who sent it could not give that role today.
   */
  async accept(tx: Transaction, code: string, user: UserPrincipal, actor: Actor): Promise<OrgWithRole> {
    const lookup = lookupOf(code);
    const name = await this.invitations.findOrg(tx, lookup);
    const org = name === null ? null : await this.live.lock(tx, name);
    await this.users.lockCaller(tx, user.id);
    const accepted = org && (await this.invitations.accept(tx, lookup, user.id));
    if (!accepted || !(await this.mayStillGive(tx, org.id, accepted))) {
      throw new ApiError('impossible', 'the code is unknown, expired or used');
    }
    const before = await this.members.role(tx, org.id, user.id);
    const role = outranks(accepted.role, before) ? accepted.role : (before ?? accepted.role);
    if (before === null) {
      await this.memberships.join(tx, org, { userId: user.id, role, limit: MAX_ACCEPTED });
    } else await this.members.put(tx, org.id, user.id, role);
    const part = `invitation:${accepted.id}`;
    const change = { action: 'invitation.accept', part, detail: { username: user.username, role, before } };
    await this.live.record(tx, actor, org, change, [userSubject(user.id)]);
    return { ...org, role };
  }

  private async mayStillGive(tx: Transaction, orgId: number, { sender, role }: AcceptedInvitation): Promise<boolean> {
    const standing = await this.members.standing(tx, orgId, sender);
    const caller = standing && standingOf(standing);
    return mayChangeMembership({ caller, isOwn: false, before: null, after: role });
  }
}

function lookupOf(code: string): Buffer {
  return createHash('sha256').update(code).digest();
}

/** An invitation is a membership to come. */
function requireRight(caller: UserPrincipal, org: string, role: OrgRole): void {
  const change = { caller: orgRoleOf(caller, org), isOwn: false, before: null, after: role };
  if (!mayChangeMembership(change)) throw new ApiError('denied');
}
