import { Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import type { CallingUser } from '../../../access/caller.js';
import { mayChangeMembership } from '../../../access/membership-policy.js';
import { standingOf } from '../../../access/organization-policy.js';
import { type Transaction, UnitOfWork } from '../../../database/unit-of-work.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { UsersService, userSubject } from '../../users/users.service.js';
import {
  InvitationIssuer,
  type InvitationDraft,
  type IssuedInvitation,
  lookupOf,
} from './invitation-issuer.service.js';
import { OrgLookupService } from '../org-lookup.service.js';
import { requireRight } from '../members/membership-right.js';
import {
  type AcceptedInvitation,
  type InvitationProof,
  type InvitationsPage,
  type OrgInvitationRow,
  OrgInvitationsRepository,
} from './org-invitations.repository.js';
import { OrgMembersService } from '../members/org-members.service.js';
import type { OrgWithRole } from '../orgs.repository.js';

/** Invitations: codes that make their holder a member, and those that name a user. */
@Injectable()
export class OrgInvitationsService {
  constructor(
    private readonly invitations: OrgInvitationsRepository,
    private readonly issuer: InvitationIssuer,
    private readonly members: OrgMembersService,
    private readonly live: OrgLookupService,
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
    draft: InvitationDraft,
    caller: CallingUser,
  ): Promise<IssuedInvitation> {
    const org = await this.live.lock(tx, orgName);
    requireRight({ caller: caller.user, isOwn: false, before: null, after: draft.role }, org);
    return this.issuer.issue(tx, org, draft, caller);
  }

  /** Throws `notFound` for one that is not open, `denied` for an owner's when the caller is none. */
  async revoke(orgName: string, id: string, { user, actor }: CallingUser): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      const org = await this.live.lock(tx, orgName);
      const role = isUUID(id) ? await this.invitations.deleteOpen(tx, org.id, id) : null;
      if (!role) throw new ApiError('notFound');
      requireRight({ caller: user, isOwn: false, before: null, after: role }, org);
      const data = { id, role };
      await this.live.record(tx, actor, org, { type: 'invitation.revoked', part: `invitation:${id}`, data });
    });
  }

  /**
   * Makes the user a member; an existing member keeps a higher role. Throws `impossible` for an invitation that is
   * void, as it is when who sent it could not give that role today.
   */
  async accept(
    tx: Transaction,
    invitation: { readonly code: string } | { readonly id: string },
    { user, actor }: CallingUser,
  ): Promise<OrgWithRole> {
    const proof: InvitationProof = 'code' in invitation ? { lookup: lookupOf(invitation.code) } : invitation;
    const name = await this.invitations.findOrg(tx, proof, user.id);
    const org = name === null ? null : await this.live.lock(tx, name);
    await this.users.lockCaller(tx, user.id);
    const accepted = org && (await this.invitations.accept(tx, proof, user.id));
    if (!accepted || !(await this.mayStillGive(tx, org.id, accepted))) {
      throw new ApiError('impossible', 'the invitation is unknown, expired or used');
    }
    const { role, before } = await this.members.joinByConsent(tx, org, user.id, accepted.role);
    const { id } = accepted;
    await this.live.record(tx, actor, org, {
      type: 'invitation.accepted',
      part: `invitation:${id}`,
      data: { id, username: user.username, role, before },
      stale: [userSubject(user.id)],
    });
    return { ...org, role };
  }

  private async mayStillGive(tx: Transaction, orgId: number, { sender, role }: AcceptedInvitation): Promise<boolean> {
    const standing = await this.members.standing(tx, orgId, sender);
    const caller = standing && standingOf(standing);
    return mayChangeMembership({ caller, isOwn: false, before: null, after: role });
  }
}
