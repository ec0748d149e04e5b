import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { OrgRole } from '../../../access/roles.js';
import type { Transaction } from '../../../database/unit-of-work.js';
import { OrgInvitation } from './org-invitation.entity.js';

export interface OrgInvitationRow {
  readonly id: string;
  readonly role: OrgRole;
  readonly note: string | null;
  /** Name of the user who sent it, as long as there is one. */
  readonly createdBy: string | null;
  /** Name of the only user who may accept it; `null` when the code decides. */
  readonly invitee: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** What the list is sorted by; fixed width, so that texts compare as times do. */
  readonly sequence: string;
}

/** An invitation as the user sees it whom it names. */
export interface ReceivedInvitationRow {
  readonly id: string;
  readonly orgId: number;
  readonly org: string;
  readonly role: OrgRole;
  readonly createdBy: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface NewOrgInvitation {
  readonly id: string;
  readonly orgId: number;
  readonly role: OrgRole;
  readonly lookup: Buffer;
  readonly note: string | null;
  /** Principal, such as `user:7`. */
  readonly createdBy: string;
  /** The only user who may accept it. */
  readonly inviteeId: number | null;
  readonly expiresAt: Date;
}

/** How an invitation is named by who accepts it: by its code, or by its id where it names the user. */
export type InvitationProof = { readonly lookup: Buffer } | { readonly id: string };

export interface AcceptedInvitation extends Pick<OrgInvitationRow, 'id' | 'role'> {
  /** Principal, such as `user:7`. */
  readonly sender: string;
}

export interface InvitationsPage {
  /** The last entry of the page before. */
  readonly after: { readonly sequence: string; readonly id: string };
  readonly limit: number;
}

const SEQUENCE = `to_char(i.created_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') COLLATE "C"`;
const OPEN = 'i.accepted_at IS NULL AND i.expires_at > now()';

// An organization has a few hundred open ones at most, so they may be sorted.
const LIST = `
SELECT i.id, i.role, i.note, u.username AS "createdBy", v.username AS invitee, i.created_at AS "createdAt",
  i.expires_at AS "expiresAt", ${SEQUENCE} AS sequence
FROM org_invitations i
LEFT JOIN users v ON v.id = i.invitee_id
LEFT JOIN users u ON u.id = substring(i.created_by FROM '^user:([0-9]+)$')::bigint AND u.deleted_at IS NULL
WHERE i.org_id = $1 AND ${OPEN} AND (${SEQUENCE}, i.id::text COLLATE "C") > ($2, $3)
ORDER BY ${SEQUENCE}, i.id::text COLLATE "C" LIMIT $4`;

const INSERT = `
INSERT INTO org_invitations (id, org_id, role, lookup, note, created_by, expires_at, invitee_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING created_at AS "createdAt"`;

const REMOVE_EXPIRED = 'DELETE FROM org_invitations WHERE org_id = $1 AND accepted_at IS NULL AND expires_at <= now()';
const COUNT_OPEN = `SELECT count(*)::int AS count FROM org_invitations i WHERE i.org_id = $1 AND ${OPEN}`;

const DELETE_OPEN = `
WITH removed AS (
  DELETE FROM org_invitations WHERE org_id = $1 AND id = $2 AND accepted_at IS NULL RETURNING role
)
SELECT role FROM removed`;

const DELETE_OPEN_OF = `
DELETE FROM org_invitations WHERE org_id = $1 AND created_by = 'user:' || $2::bigint AND accepted_at IS NULL`;

const DELETE_OPEN_FOR = 'DELETE FROM org_invitations WHERE org_id = $1 AND invitee_id = $2 AND accepted_at IS NULL';

// The named user needs no code; the code of an invitation with a name is not accepted.
const MINE = '(i.lookup = $1 AND i.invitee_id IS NULL OR i.id = $2 AND i.invitee_id = $3)';

const FIND_ORG = `
SELECT n.name FROM org_invitations i JOIN orgs o ON o.id = i.org_id JOIN namespaces n ON n.id = o.namespace_id
WHERE ${MINE} AND ${OPEN}`;

// By the organizations' ids, which the index has: strangers decide how many there are.
const LIST_RECEIVED = `
SELECT i.id, i.org_id AS "orgId", n.name AS org, i.role, u.username AS "createdBy", i.created_at AS "createdAt",
  i.expires_at AS "expiresAt"
FROM org_invitations i JOIN orgs o ON o.id = i.org_id JOIN namespaces n ON n.id = o.namespace_id
LEFT JOIN users u ON u.id = substring(i.created_by FROM '^user:([0-9]+)$')::bigint AND u.deleted_at IS NULL
WHERE i.invitee_id = $1 AND i.org_id > $2 AND ${OPEN} ORDER BY i.org_id LIMIT $3`;

// Of two that accept at once, one finds it open.
const ACCEPT = `
WITH accepted AS (
  UPDATE org_invitations i SET accepted_at = now(), accepted_by = $3 WHERE ${MINE} AND ${OPEN}
  RETURNING id, role, created_by
)
SELECT id, role, created_by AS "sender" FROM accepted`;

@Injectable()
export class OrgInvitationsRepository {
  constructor(@InjectRepository(OrgInvitation) private readonly invitations: Repository<OrgInvitation>) {}

  /** Open ones, the oldest first. */
  list(orgId: number, { after, limit }: InvitationsPage): Promise<OrgInvitationRow[]> {
    return this.invitations.manager.query(LIST, [orgId, after.sequence, after.id, limit]);
  }

  async insert(tx: Transaction, invitation: NewOrgInvitation): Promise<{ createdAt: Date }> {
    const { id, orgId, role, lookup, note, createdBy, expiresAt, inviteeId } = invitation;
    const parameters = [id, orgId, role, lookup, note, createdBy, expiresAt, inviteeId];
    const [row] = await tx.query<{ createdAt: Date }>(INSERT, parameters);
    if (!row) throw new Error('an insert returned no row');
    return row;
  }

  /** After expired ones, which are useless, were removed. */
  async countOpen(tx: Transaction, orgId: number): Promise<number> {
    await tx.query(REMOVE_EXPIRED, [orgId]);
    const [row] = await tx.query<{ count: number }>(COUNT_OPEN, [orgId]);
    return row?.count ?? 0;
  }

  /** Its role; `null` when there is no open one. */
  async deleteOpen(tx: Transaction, orgId: number, id: string): Promise<OrgRole | null> {
    const [row] = await tx.query<{ role: OrgRole }>(DELETE_OPEN, [orgId, id]);
    return row?.role ?? null;
  }

  /** All that this user sent. */
  async deleteOpenOf(tx: Transaction, orgId: number, userId: number): Promise<void> {
    await tx.query(DELETE_OPEN_OF, [orgId, userId]);
  }

  /** The one that names this user. */
  async deleteOpenFor(tx: Transaction, orgId: number, inviteeId: number): Promise<void> {
    await tx.query(DELETE_OPEN_FOR, [orgId, inviteeId]);
  }

  /** Open ones that name the user, by the organizations' age. */
  listReceived(userId: number, { after, limit }: { after: number; limit: number }): Promise<ReceivedInvitationRow[]> {
    return this.invitations.manager.query(LIST_RECEIVED, [userId, after, limit]);
  }

  /** The name of the organization that an open one is for, which this user may accept. */
  async findOrg(tx: Transaction, proof: InvitationProof, userId: number): Promise<string | null> {
    const [row] = await tx.query<{ name: string }>(FIND_ORG, parametersOf(proof, userId));
    return row?.name ?? null;
  }

  /** `null` when it is not open any more. */
  async accept(tx: Transaction, proof: InvitationProof, userId: number): Promise<AcceptedInvitation | null> {
    const [row] = await tx.query<AcceptedInvitation>(ACCEPT, parametersOf(proof, userId));
    return row ?? null;
  }
}

function parametersOf(proof: InvitationProof, userId: number): unknown[] {
  return 'lookup' in proof ? [proof.lookup, null, userId] : [null, proof.id, userId];
}
