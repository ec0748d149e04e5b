import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import type { Transaction } from '../database/unit-of-work.js';
import { User } from './user.entity.js';

const FACT = `
SELECT id, username, admin, namespace_id AS "namespaceId", credentials_version AS "credentialsVersion",
  disabled_at IS NOT NULL AS disabled
FROM users WHERE id = $1 AND deleted_at IS NULL`;

const FIND_PASSWORD = `
SELECT id, password_hash AS "passwordHash", credentials_version AS "credentialsVersion"
FROM users WHERE username = $1 AND deleted_at IS NULL`;

// A deletion of the account waits for the transaction that relies on it, or is seen by it.
const LOCK_ACTIVE = `
SELECT id FROM users WHERE username = $1 AND deleted_at IS NULL AND disabled_at IS NULL FOR SHARE`;

// The name is claimed and used in one statement: of two that create at once, one inserts nothing.
const INSERT = `
WITH claimed AS (
  INSERT INTO namespaces (name, kind) VALUES ($1, 'user')
  ON CONFLICT (name) WHERE released_at IS NULL DO NOTHING RETURNING id
)
INSERT INTO users (namespace_id, username, password_hash, email, display_name, admin)
SELECT id, $1, $2, $3, $4, $5 FROM claimed RETURNING id`;

// Void from here: every token and every remembered password of the user.
const SET_PASSWORD = `
UPDATE users SET password_hash = $2, credentials_version = credentials_version + 1, updated_at = now()
WHERE id = $1 AND deleted_at IS NULL`;

const SET_DISABLED = `
UPDATE users SET disabled_at = CASE WHEN $2::boolean THEN coalesce(disabled_at, now()) END, updated_at = now()
WHERE id = $1 AND deleted_at IS NULL`;

const SET_ADMIN = 'UPDATE users SET admin = $2, updated_at = now() WHERE id = $1 AND deleted_at IS NULL';

export interface UserRow {
  readonly id: number;
  readonly username: string;
  readonly admin: boolean;
  readonly namespaceId: number;
  readonly credentialsVersion: number;
  readonly disabled: boolean;
}

export interface PasswordRow {
  readonly id: number;
  readonly passwordHash: string | null;
  readonly credentialsVersion: number;
}

export interface NewUser {
  readonly username: string;
  readonly passwordHash: string;
  readonly email: string | null;
  readonly displayName: string | null;
  readonly admin: boolean;
}

@Injectable()
export class UsersRepository {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  async findFact(id: number): Promise<UserRow | null> {
    const [row] = await this.users.manager.query<UserRow[]>(FACT, [id]);
    return row ?? null;
  }

  async findPassword(username: string): Promise<PasswordRow | null> {
    const [row] = await this.users.manager.query<PasswordRow[]>(FIND_PASSWORD, [username]);
    return row ?? null;
  }

  findByName(username: string): Promise<User | null> {
    return this.users.findOneBy({ username, deletedAt: IsNull() });
  }

  /** The id of a user who is not disabled, and stays so until the end of the transaction. */
  async lockActive(tx: Transaction, username: string): Promise<number | null> {
    const [row] = await tx.query<{ id: number }>(LOCK_ACTIVE, [username]);
    return row?.id ?? null;
  }

  /** With the namespace of the same name; false when that is taken. */
  async insert(tx: Transaction, { username, passwordHash, email, displayName, admin }: NewUser): Promise<boolean> {
    const rows = await tx.query(INSERT, [username, passwordHash, email, displayName, admin]);
    return rows.length === 1;
  }

  async setPassword(tx: Transaction, id: number, passwordHash: string): Promise<void> {
    await tx.query(SET_PASSWORD, [id, passwordHash]);
  }

  async setDisabled(tx: Transaction, id: number, isDisabled: boolean): Promise<void> {
    await tx.query(SET_DISABLED, [id, isDisabled]);
  }

  async setAdmin(tx: Transaction, id: number, isAdmin: boolean): Promise<void> {
    await tx.query(SET_ADMIN, [id, isAdmin]);
  }
}
