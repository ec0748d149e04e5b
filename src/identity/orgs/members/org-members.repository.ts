import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { OrgRole } from '../../../access/roles.js';
import type { Transaction } from '../../../database/unit-of-work.js';
import { isAccountName } from '../../users/account-name.js';
import { consented } from '../../users/consented.js';
import { OrgMember } from './org-member.entity.js';
import { SHOWN_DISPLAY_NAME } from './shown-display-name.js';

export interface OrgMemberRow {
  readonly userId: number;
  readonly username: string;
  /** `null` also of who did not join by themselves. */
  readonly displayName: string | null;
  readonly role: OrgRole;
  /** Whether the user made the organization or joined it themselves. */
  readonly consented: boolean;
  readonly createdAt: Date;
}

/** A user's part in an organization. */
export type Part = Pick<OrgMemberRow, 'role' | 'consented'>;

/** What a user is in the registry and in one organization. */
export interface Standing {
  readonly admin: boolean;
  readonly role: OrgRole | null;
}

/** Where a list of people begins and how much of it is wanted. */
export interface PeoplePage {
  /** A user's id, exclusive; 0 begins at the first. */
  readonly after: number;
  readonly limit: number;
}

const SELECT = `
SELECT m.user_id AS "userId", u.username, ${SHOWN_DISPLAY_NAME} AS "displayName", m.role,
  ${consented('m')} AS consented, m.created_at AS "createdAt"
FROM org_members m JOIN users u ON u.id = m.user_id WHERE m.org_id = $1 AND u.deleted_at IS NULL`;

const FIND = `${SELECT} AND u.username = $2`;
const LIST = `${SELECT} AND m.user_id > $2 ORDER BY m.user_id LIMIT $3`;

const PART = `
SELECT m.role, ${consented('m')} AS consented FROM org_members m WHERE m.org_id = $1 AND m.user_id = $2`;

const STANDING = `
SELECT u.admin, m.role FROM users u LEFT JOIN org_members m ON m.user_id = u.id AND m.org_id = $1
WHERE u.id = substring($2 FROM '^user:([0-9]+)$')::bigint AND u.deleted_at IS NULL AND u.disabled_at IS NULL`;

// The user may be a member already, with another role; a consent is kept.
const PUT = `
INSERT INTO org_members AS m (org_id, user_id, role, consented) VALUES ($1, $2, $3, $4)
ON CONFLICT (org_id, user_id) DO UPDATE SET role = excluded.role, consented = m.consented OR excluded.consented`;

const REMOVE = `
WITH left_teams AS (
  DELETE FROM team_members m USING teams t WHERE t.id = m.team_id AND t.org_id = $1 AND m.user_id = $2
)
DELETE FROM org_members WHERE org_id = $1 AND user_id = $2`;

const OTHER_OWNER = `
SELECT FROM org_members m JOIN users u ON u.id = m.user_id
WHERE m.org_id = $1 AND m.role = 'owner' AND m.user_id <> $2 AND u.deleted_at IS NULL LIMIT 1`;

const USER_IDS = 'SELECT user_id AS id FROM org_members WHERE org_id = $1';
const COUNT_MEMBERS = 'SELECT count(*)::int AS count FROM org_members WHERE org_id = $1';
const COUNT_OWNED = `
SELECT count(*)::int AS count FROM org_members m WHERE m.user_id = $1 AND m.role = 'owner' AND ${consented('m')}`;
const COUNT_MEMBERSHIPS = `
SELECT count(*)::int AS count FROM org_members m WHERE m.user_id = $1 AND ${consented('m')} = $2`;

/** Members of an organization. Writers hold the lock of the organization's row. */
@Injectable()
export class OrgMembersRepository {
  constructor(@InjectRepository(OrgMember) private readonly members: Repository<OrgMember>) {}

  async find(tx: Transaction, orgId: number, username: string): Promise<OrgMemberRow | null> {
    // An invalid name is not looked up: the database would refuse some.
    if (!isAccountName(username)) return null;
    const [row] = await tx.query<OrgMemberRow>(FIND, [orgId, username]);
    return row ?? null;
  }

  /** In the order of the accounts' creation. */
  list(orgId: number, { after, limit }: PeoplePage): Promise<OrgMemberRow[]> {
    return this.members.manager.query(LIST, [orgId, after, limit]);
  }

  async part(tx: Transaction, orgId: number, userId: number): Promise<Part | null> {
    const [row] = await tx.query<Part>(PART, [orgId, userId]);
    return row ?? null;
  }

  /** What decides about the rights of the user with this key, such as `user:7`; `null` for one who cannot log in. */
  async standing(tx: Transaction, orgId: number, key: string): Promise<Standing | null> {
    const [row] = await tx.query<Standing>(STANDING, [orgId, key]);
    return row ?? null;
  }

  async put(tx: Transaction, orgId: number, userId: number, { role, consented }: Part): Promise<void> {
    await tx.query(PUT, [orgId, userId, role, consented]);
  }

  /** From the organization's teams too. */
  async remove(tx: Transaction, orgId: number, userId: number): Promise<void> {
    await tx.query(REMOVE, [orgId, userId]);
  }

  async hasOwnerBeside(tx: Transaction, orgId: number, userId: number): Promise<boolean> {
    return (await tx.query(OTHER_OWNER, [orgId, userId])).length > 0;
  }

  async userIds(tx: Transaction, orgId: number): Promise<number[]> {
    return (await tx.query<{ id: number }>(USER_IDS, [orgId])).map(({ id }) => id);
  }

  async countMembers(tx: Transaction, orgId: number): Promise<number> {
    return this.count(tx, COUNT_MEMBERS, [orgId]);
  }

  /** Of those that the user consented to, or of the others. */
  async countMemberships(tx: Transaction, userId: number, consented: boolean): Promise<number> {
    return this.count(tx, COUNT_MEMBERSHIPS, [userId, consented]);
  }

  /** Only those that the user consented to. */
  async countOwned(tx: Transaction, userId: number): Promise<number> {
    return this.count(tx, COUNT_OWNED, [userId]);
  }

  private async count(tx: Transaction, sql: string, values: unknown[]): Promise<number> {
    const [row] = await tx.query<{ count: number }>(sql, values);
    return row?.count ?? 0;
  }
}
