import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { OrgRole, Role } from '../../access/roles.js';
import type { Transaction } from '../../database/unit-of-work.js';
import { claimNamespace } from '../users/namespaces/namespace-statements.js';
import { NEXT_UPDATED_AT } from './next-updated-at.js';
import { Org } from './org.entity.js';

export interface OrgRow {
  readonly id: number;
  readonly namespaceId: number;
  readonly name: string;
  readonly displayName: string | null;
  readonly defaultRole: Role | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface NewOrg {
  readonly name: string;
  readonly displayName: string | null;
  readonly defaultRole: Role | null;
  readonly ownerId: number;
}

/** An organization, and a user's role in it. */
export interface OrgWithRole extends OrgRow {
  readonly role: OrgRole | null;
}

/** Where a list begins and how much of it is wanted. */
export interface OrgsPage {
  /** A name, exclusive; the empty string begins at the first. */
  readonly after: string;
  readonly limit: number;
}

/** Whose cached facts tell of an organization. */
export interface OrgPrincipal {
  readonly kind: 'user' | 'robot';
  readonly id: number;
}

const COLUMNS = `o.id, o.namespace_id AS "namespaceId", n.name, o.display_name AS "displayName",
  o.default_role AS "defaultRole", o.created_at AS "createdAt", o.updated_at AS "updatedAt"`;

const FIND = `
SELECT ${COLUMNS} FROM orgs o JOIN namespaces n ON n.id = o.namespace_id
WHERE n.name = $1 AND n.released_at IS NULL AND o.deleted_at IS NULL`;

const LOCK = `${FIND} FOR UPDATE OF o`;

const MINE = `
SELECT ${COLUMNS}, m.role FROM org_members m JOIN orgs o ON o.id = m.org_id JOIN namespaces n ON n.id = o.namespace_id
WHERE m.user_id = $1 AND o.deleted_at IS NULL AND n.name > $2 ORDER BY n.name LIMIT $3`;

const ALL = `
SELECT ${COLUMNS}, m.role FROM namespaces n JOIN orgs o ON o.namespace_id = n.id
LEFT JOIN org_members m ON m.org_id = o.id AND m.user_id = $1
WHERE n.kind = 'org' AND n.released_at IS NULL AND n.deleted_at IS NULL AND n.name > $2 ORDER BY n.name LIMIT $3`;

// The name is claimed and used in one statement: of two that create at once, one inserts nothing.
const INSERT = `
WITH claimed AS (${claimNamespace('org', `'user:' || $4::bigint`)}
), made AS (
  INSERT INTO orgs (namespace_id, display_name, default_role) SELECT id, $2, $3 FROM claimed RETURNING *
), owned AS (
  INSERT INTO org_members (org_id, user_id, role, consented) SELECT id, $4::bigint, 'owner', true FROM made
)
SELECT o.id, o.namespace_id AS "namespaceId", o.created_at AS "createdAt", o.updated_at AS "updatedAt" FROM made o`;

const UPDATE = `
WITH changed AS (
  UPDATE orgs SET display_name = $2, default_role = $3, updated_at = ${NEXT_UPDATED_AT} WHERE id = $1 RETURNING updated_at
)
SELECT updated_at AS "updatedAt" FROM changed`;

// Waits for repositories that are being made in the namespace, and makes later ones wait: their foreign key locks its row.
const LOCK_NAMESPACE = 'SELECT id FROM namespaces WHERE id = $1 FOR UPDATE';

// What is left of it is the namespace's row and the audit log.
const DELETE = `
WITH organization AS (UPDATE orgs SET deleted_at = now(), updated_at = ${NEXT_UPDATED_AT} WHERE id = $1),
  former_invitations AS (DELETE FROM org_invitations WHERE org_id = $1),
  former_teams AS (DELETE FROM teams WHERE org_id = $1),
  former_members AS (DELETE FROM org_members WHERE org_id = $1 RETURNING user_id),
  former_robots AS (DELETE FROM robots WHERE org_id = $1 RETURNING id)
SELECT 'user' AS kind, user_id AS id FROM former_members UNION ALL SELECT 'robot', id FROM former_robots`;

// The youngest of them that must be a day old.
const SECONDS_TO_WAIT = `
SELECT greatest(1, ceil(extract(epoch FROM created_at + interval '24 hours' - now())))::int AS seconds
FROM namespaces WHERE created_by = 'user:' || $1::bigint AND created_at > now() - interval '24 hours'
ORDER BY created_at DESC OFFSET $2 LIMIT 1`;

@Injectable()
export class OrgsRepository {
  constructor(@InjectRepository(Org) private readonly orgs: Repository<Org>) {}

  async find(name: string): Promise<OrgRow | null> {
    const [row] = await this.orgs.manager.query<OrgRow[]>(FIND, [name]);
    return row ?? null;
  }

  /** Holds the row until the end of the transaction. */
  async lock(tx: Transaction, name: string): Promise<OrgRow | null> {
    const [row] = await tx.query<OrgRow>(LOCK, [name]);
    return row ?? null;
  }

  /** Those that the user is a member of, by name. */
  listOf(userId: number, { after, limit }: OrgsPage): Promise<OrgWithRole[]> {
    return this.orgs.manager.query(MINE, [userId, after, limit]);
  }

  /** All of them, by name, with what the user is in them. */
  listAll(userId: number, { after, limit }: OrgsPage): Promise<OrgWithRole[]> {
    return this.orgs.manager.query(ALL, [userId, after, limit]);
  }

  /** With its namespace and its first owner; `null` when the name is taken. */
  async insert(tx: Transaction, { name, displayName, defaultRole, ownerId }: NewOrg): Promise<OrgRow | null> {
    const [row] = await tx.query<Omit<OrgRow, 'name' | 'displayName' | 'defaultRole'>>(INSERT, [
      name,
      displayName,
      defaultRole,
      ownerId,
    ]);
    return row ? { ...row, name, displayName, defaultRole } : null;
  }

  async update(tx: Transaction, org: OrgRow): Promise<OrgRow> {
    const [row] = await tx.query<Pick<OrgRow, 'updatedAt'>>(UPDATE, [org.id, org.displayName, org.defaultRole]);
    return { ...org, ...row };
  }

  /** No repository can be made in it, moved into it or out of it until the end of the transaction. */
  async lockNamespace(tx: Transaction, { namespaceId }: OrgRow): Promise<void> {
    await tx.query(LOCK_NAMESPACE, [namespaceId]);
  }

  /** With all that is in it. Gives those who were in it. */
  delete(tx: Transaction, { id }: OrgRow): Promise<OrgPrincipal[]> {
    return tx.query(DELETE, [id]);
  }

  /** Until the user has made fewer than `limit` in the last 24 hours; 0: that is so. Under the lock of the user's row. */
  async secondsToWait(tx: Transaction, userId: number, limit: number): Promise<number> {
    const [row] = await tx.query<{ seconds: number }>(SECONDS_TO_WAIT, [userId, limit - 1]);
    return row?.seconds ?? 0;
  }
}
