import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { OrgRole } from '../access/roles.js';
import type { Transaction } from '../database/unit-of-work.js';
import { OrgInvitation } from './org-invitation.entity.js';

export interface OrgInvitationRow {
  readonly id: string;
  readonly role: OrgRole;
  readonly note: string | null;
  /** Name of the user who sent it, as long as there is one. */
  readonly createdBy: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** What the list is sorted by; fixed width, so that texts compare as times do. */
  readonly sequence: string;
}

export interface NewOrgInvitation {
  readonly id: string;
  readonly orgId: number;
  readonly role: OrgRole;
  readonly lookup: Buffer;
  readonly note: string | null;
  /** Principal, such as `user:7`. */
  readonly createdBy: string;
  readonly expiresAt: Date;
}

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
SELECT i.id, i.role, i.note, u.username AS "createdBy", i.created_at AS "createdAt", i.expires_at AS "expiresAt",
  ${SEQUENCE} AS sequence
FROM org_invitations i
LEFT JOIN users u ON u.id = substring(i.created_by FROM '^user:([0-9]+)$')::bigint AND u.deleted_at IS NULL
WHERE i.org_id = $1 AND ${OPEN} AND (${SEQUENCE}, i.id::text COLLATE "C") > ($2, $3)
ORDER BY ${SEQUENCE}, i.id::text COLLATE "C" LIMIT $4`;

const INSERT = `
INSERT INTO org_invitations (id, org_id, role, lookup, note, created_by, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING created_at AS "createdAt"`;

const REMOVE_EXPIRED = 'DELETE FROM org_invitations WHERE org_id = $1 AND accepted_at IS NULL AND expires_at <= now()';
const COUNT_OPEN = `SELECT count(*)::int AS count FROM org_invitations i WHERE i.org_id = $1 AND ${OPEN}`;

const DELETE_OPEN = `
WITH removed AS (
  DELETE FROM org_invitations WHERE org_id = $1 AND id = $2 AND accepted_at IS NULL RETURNING role
)
SELECT role FROM removed`;

const DELETE_OPEN_OF = `
DELETE FROM org_invitations WHERE org_id = $1 AND created_by = 'user:' || $2::bigint AND accepted_at IS NULL`;

const FIND_ORG = `
SELECT n.name FROM org_invitations i JOIN orgs o ON o.id = i.org_id JOIN namespaces n ON n.id = o.namespace_id
WHERE i.lookup = $1 AND ${OPEN}`;

// Of two that accept at once, one finds it open.
const ACCEPT = `
WITH accepted AS (
  UPDATE org_invitations i SET accepted_at = now(), accepted_by = $2 WHERE i.lookup = $1 AND ${OPEN}
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
    const { id, orgId, role, lookup, note, createdBy, expiresAt } = invitation;
    const parameters = [id, orgId, role, lookup, note, createdBy, expiresAt];
    const [row] = await tx.query<{ createdAt: Date }>(INSERT, parameters);
    if (!row) throw new Error('an insert returned no row');
    return row;
  }

  /** After those that expired were removed: nobody can do anything with them. */
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

  /** The name of the organization that an open one is for. */
  async findOrg(tx: Transaction, lookup: Buffer): Promise<string | null> {
    const [row] = await tx.query<{ name: string }>(FIND_ORG, [lookup]);
    return row?.name ?? null;
  }

  /** `null` when it is not open any more. */
  async accept(tx: Transaction, lookup: Buffer, userId: number): Promise<AcceptedInvitation | null> {
    const [row] = await tx.query<AcceptedInvitation>(ACCEPT, [lookup, userId]);
    return row ?? null;
  }
}
