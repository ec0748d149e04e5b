import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { principalKey } from '../../../access/principal.js';
import type { OrgRole } from '../../../access/roles.js';
import type { Transaction } from '../../../database/unit-of-work.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { OrgLookupService } from '../org-lookup.service.js';
import type { CallingUser } from '../../../access/caller.js';
import { type OrgInvitationRow, OrgInvitationsRepository } from './org-invitations.repository.js';
import type { OrgRow } from '../orgs.repository.js';

const DEFAULT_LIFE_MS = 7 * 86_400_000;
/** Of one organization. */
const MAX_OPEN = 500;
/** 160 bits cannot be guessed, so a plain hash is enough. */
const CODE_BYTES = 20;

export interface InvitationDraft {
  readonly role: OrgRole;
  readonly note?: string | undefined;
  readonly expiresAt?: string | undefined;
}

/** The only user who may accept an invitation. */
export interface Invitee {
  readonly userId: number;
  readonly username: string;
}

export interface IssuedInvitation extends Omit<OrgInvitationRow, 'sequence'> {
  /** Not stored, so shown once. */
  readonly code: string;
}

/** Makes invitations, under the lock of the organization's row; the caller has checked the right to. */
@Injectable()
export class InvitationIssuer {
  constructor(
    private readonly invitations: OrgInvitationsRepository,
    private readonly live: OrgLookupService,
  ) {}

  /**
   * One that names a user replaces the one before, and its code must not leave the registry: it opens nothing. Throws
   * `impossible` when the organization has too many.
   */
  async issue(
    tx: Transaction,
    org: OrgRow,
    { role, note, expiresAt: until, invitee = null }: InvitationDraft & { readonly invitee?: Invitee | null },
    { user, actor }: CallingUser,
  ): Promise<IssuedInvitation> {
    if (invitee) await this.invitations.deleteOpenFor(tx, org.id, invitee.userId);
    if ((await this.invitations.countOpen(tx, org.id)) >= MAX_OPEN) {
      throw new ApiError('impossible', `${MAX_OPEN} open invitations are the limit`);
    }
    const expiresAt = new Date(until ?? Date.now() + DEFAULT_LIFE_MS);
    const [id, code] = [randomUUID(), `aerugo_inv_${randomBytes(CODE_BYTES).toString('hex')}`];
    const shown = { id, role, note: note ?? null, expiresAt };
    const hidden = { orgId: org.id, lookup: lookupOf(code), inviteeId: invitee?.userId ?? null };
    const { createdAt } = await this.invitations.insert(tx, { ...shown, ...hidden, createdBy: principalKey(user) });
    const named = invitee ? { invitee: invitee.username } : {};
    const data = { id, role, expiresAt: expiresAt.toISOString(), ...named };
    await this.live.record(tx, actor, org, { type: 'invitation.created', part: `invitation:${id}`, data });
    return { ...shown, createdBy: user.username, invitee: invitee?.username ?? null, createdAt, code };
  }
}

export function lookupOf(code: string): Buffer {
  return createHash('sha256').update(code).digest();
}
