import { Injectable } from '@nestjs/common';
import { forgetAnswersTo } from '../../database/idempotency/idempotent-creates.service.js';
import type { Transaction } from '../../database/unit-of-work.js';
import { consented } from './consented.js';

// Changes of an organization's members lock its row: its owners stay the same while this one leaves.
const LOCK_ORGANIZATIONS = `
SELECT o.id FROM orgs o WHERE o.id IN (SELECT org_id FROM org_members WHERE user_id = $1) ORDER BY o.id FOR UPDATE`;

// Waits for rows that refer to the user and are about to be committed, and keeps new ones waiting.
const LOCK_USER = `
SELECT u.namespace_id AS "namespaceId" FROM users u WHERE u.id = $1 AND u.deleted_at IS NULL FOR UPDATE`;

const LOCK_NAMESPACE = 'SELECT id FROM namespaces WHERE id = $1 FOR UPDATE';

const OWNED_ALONE = `
SELECT n.name FROM org_members m
JOIN orgs o ON o.id = m.org_id JOIN namespaces n ON n.id = o.namespace_id
WHERE m.user_id = $1 AND m.role = 'owner' AND ${consented('m')} AND o.deleted_at IS NULL AND NOT EXISTS (
  SELECT FROM org_members other JOIN users u ON u.id = other.user_id
  WHERE other.org_id = m.org_id AND other.user_id <> $1 AND other.role = 'owner' AND u.deleted_at IS NULL
) ORDER BY n.name LIMIT 10`;

const FORGET = [
  'DELETE FROM identities WHERE user_id = $1',
  `UPDATE users SET deleted_at = now(), updated_at = now(), credentials_version = credentials_version + 1,
     password_hash = NULL, email = NULL, display_name = NULL WHERE id = $1`,
] as const;

// Also an administrator's name is not one to be inherited.
const IS_KNOWN = `
SELECT admin OR EXISTS (SELECT FROM org_members WHERE user_id = $1)
  OR EXISTS (SELECT FROM repo_grants WHERE user_id = $1) AS known
FROM users WHERE id = $1`;

/** The end of a user. The row stays, for histories name it by its id. */
@Injectable()
export class AccountDeletionRepository {
  async lockOrganizations(tx: Transaction, userId: number): Promise<void> {
    await tx.query(LOCK_ORGANIZATIONS, [userId]);
  }

  /** `null` when the user was deleted meanwhile. */
  async lockUser(tx: Transaction, userId: number): Promise<{ readonly namespaceId: number } | null> {
    const [row] = await tx.query<{ namespaceId: number }>(LOCK_USER, [userId]);
    if (row) await tx.query(LOCK_NAMESPACE, [row.namespaceId]);
    return row ?? null;
  }

  /** Names of organizations that have no other owner; not those that others made the user one of, unasked. */
  async ownedAlone(tx: Transaction, userId: number): Promise<string[]> {
    return (await tx.query<{ name: string }>(OWNED_ALONE, [userId])).map(({ name }) => name);
  }

  /** Whether the user's name means something to others: then it stays taken. Asked before other modules have forgotten them. */
  async isKnown(tx: Transaction, userId: number): Promise<boolean> {
    const [row] = await tx.query<{ known: boolean }>(IS_KNOWN, [userId]);
    return row?.known !== false;
  }

  /** What is personal; answers that were kept for repeated creates may hold the user's keys. */
  async forget(tx: Transaction, userId: number): Promise<void> {
    for (const statement of FORGET) await tx.query(statement, [userId]);
    await forgetAnswersTo(tx, `user:${userId}`);
  }
}
