import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Transaction } from '../../database/unit-of-work.js';
import type { KeysetPage } from '../../http/paging/list-reply.js';
import { claimNamespace } from './namespaces/namespace-statements.js';
import { User } from './user.entity.js';

const FACT = `
SELECT id, username, admin, namespace_id AS "namespaceId", credentials_version AS "credentialsVersion",
  disabled_at IS NOT NULL AS disabled
FROM users WHERE id = $1 AND deleted_at IS NULL`;

const FIND_PASSWORD = `
SELECT id, admin, from_configuration AS "fromConfiguration", password_hash AS "passwordHash",
  credentials_version AS "credentialsVersion"
FROM users WHERE username = $1 AND deleted_at IS NULL`;

// A deletion of the account waits for the transaction that relies on it, or is seen by it. Nothing else waits: those who
// do something with a user must not keep the user from what they do themselves.
const LOCK_NAMED = 'SELECT id FROM users WHERE username = $1 AND deleted_at IS NULL FOR KEY SHARE';
// Two transactions of the same user wait for each other, so that what is counted here stays true.
const LOCK_LIVE = `
SELECT id FROM users WHERE id = $1 AND deleted_at IS NULL AND disabled_at IS NULL FOR NO KEY UPDATE`;

const RECORD = `id, namespace_id AS "namespaceId", username, email, display_name AS "displayName", admin,
  disabled_at AS "disabledAt", created_at AS "createdAt", updated_at AS "updatedAt"`;

const FIND = `SELECT ${RECORD} FROM users WHERE username = $1 AND deleted_at IS NULL`;

// Every character of a name sorts before the tilde.
const LIST = `
SELECT ${RECORD} FROM users
WHERE deleted_at IS NULL AND username > $1 AND username >= $2 AND username < $2 || '~' ORDER BY username LIMIT $3`;

// The name is claimed and used in one statement: of two that create at once, one inserts nothing. Only the
// configuration creates accounts that are administrators from the beginning.
const INSERT = `
WITH claimed AS (${claimNamespace('user')}
)
INSERT INTO users (namespace_id, username, password_hash, email, display_name, admin, from_configuration)
SELECT id, $1, $2, $3, $4, $5, $5 FROM claimed RETURNING ${RECORD}`;

// Each change has a version of its own, also two within a millisecond.
const TOUCH = `updated_at = greatest(now(), updated_at + interval '1 millisecond')`;

// Void from here: every token and every remembered password of the user.
const SET_PASSWORD = `
WITH changed AS (
  UPDATE users SET password_hash = $2, credentials_version = credentials_version + 1, ${TOUCH}
  WHERE id = $1 AND deleted_at IS NULL AND ($3::integer IS NULL OR credentials_version = $3)
  RETURNING credentials_version AS version
) SELECT version FROM changed`;

// Who is disabled, and who is enabled again, has nothing from before but the password and keys. A Date has milliseconds,
// the column microseconds.
const UPDATE = `
WITH changed AS (
  UPDATE users SET
    email = CASE WHEN $2::boolean THEN $3 ELSE email END,
    display_name = CASE WHEN $4::boolean THEN $5 ELSE display_name END,
    disabled_at = CASE $6::boolean WHEN true THEN coalesce(disabled_at, now()) WHEN false THEN NULL ELSE disabled_at END,
    credentials_version = credentials_version + coalesce($6::boolean <> (disabled_at IS NOT NULL), false)::integer,
    admin = coalesce($7::boolean, admin),
    ${TOUCH}
  WHERE id = $1 AND deleted_at IS NULL AND ($8::timestamptz IS NULL OR date_trunc('milliseconds', updated_at) = $8)
  RETURNING ${RECORD}
) SELECT * FROM changed`;

const APPOINT = `
WITH appointed AS (
  UPDATE users SET admin = true, from_configuration = true, ${TOUCH}
  WHERE id = $1 AND deleted_at IS NULL AND (admin OR from_configuration) RETURNING id
) SELECT id FROM appointed`;

// Of two who unmake each other at once, the second waits here and finds itself the last one's.
const LOCK_ADMINISTRATORS = `
SELECT id FROM users WHERE admin AND disabled_at IS NULL AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE`;

const HAS_ADMINISTRATOR = `
SELECT EXISTS (SELECT FROM users WHERE admin AND disabled_at IS NULL AND deleted_at IS NULL) AS "isThere"`;

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
  readonly admin: boolean;
  readonly fromConfiguration: boolean;
  readonly passwordHash: string | null;
  readonly credentialsVersion: number;
}

/** A user as the management API shows it. */
export type UserRecord = Readonly<
  Pick<
    User,
    'id' | 'namespaceId' | 'username' | 'email' | 'displayName' | 'admin' | 'disabledAt' | 'createdAt' | 'updatedAt'
  >
>;

export interface NewUser {
  readonly username: string;
  readonly passwordHash: string;
  readonly email: string | null;
  readonly displayName: string | null;
  readonly admin: boolean;
}

/** What is left out stays as it is. */
export interface UserChanges {
  readonly email?: string | null | undefined;
  readonly displayName?: string | null | undefined;
  readonly disabled?: boolean | undefined;
  readonly admin?: boolean | undefined;
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

  async findByName(username: string): Promise<UserRecord | null> {
    const [row] = await this.users.manager.query<UserRecord[]>(FIND, [username]);
    return row ?? null;
  }

  /** The id of a user who is there until the end of the transaction. */
  async lockNamed(tx: Transaction, username: string): Promise<number | null> {
    const [row] = await tx.query<{ id: number }>(LOCK_NAMED, [username]);
    return row?.id ?? null;
  }

  /** Whether the user is neither deleted nor disabled, and stays so until the end of the transaction. */
  async lockLive(tx: Transaction, id: number): Promise<boolean> {
    return (await tx.query(LOCK_LIVE, [id])).length > 0;
  }

  /** By name, those that begin with `prefix`. */
  list(prefix: string, { after, limit }: KeysetPage): Promise<UserRecord[]> {
    return this.users.manager.query(LIST, [after?.[0] ?? '', prefix, limit]);
  }

  /** With the namespace of the same name; `null` when that is taken. */
  async insert(
    tx: Transaction,
    { username, passwordHash, email, displayName, admin }: NewUser,
  ): Promise<UserRecord | null> {
    const [row] = await tx.query<UserRecord>(INSERT, [username, passwordHash, email, displayName, admin]);
    return row ?? null;
  }

  /** The new version of the credentials; `null`, and nothing, when `provenVersion` is given and is none any more. */
  async setPassword(
    tx: Transaction,
    id: number,
    passwordHash: string,
    provenVersion: number | null,
  ): Promise<number | null> {
    const [row] = await tx.query<{ version: number }>(SET_PASSWORD, [id, passwordHash, provenVersion]);
    return row?.version ?? null;
  }

  /** `null`, and nothing, when the user is gone, or is younger than `unchangedSince`. */
  async update(
    tx: Transaction,
    id: number,
    { email, displayName, disabled, admin }: UserChanges,
    unchangedSince: Date | null,
  ): Promise<UserRecord | null> {
    const texts = [email !== undefined, email ?? null, displayName !== undefined, displayName ?? null];
    const [row] = await tx.query<UserRecord>(UPDATE, [id, ...texts, disabled ?? null, admin ?? null, unchangedSince]);
    return row ?? null;
  }

  /** Makes the configuration's account an administrator; false for an account that is neither of both. */
  async appoint(tx: Transaction, id: number): Promise<boolean> {
    return (await tx.query(APPOINT, [id])).length > 0;
  }

  /** Whether there is an active administrator. */
  async hasAdministrator(): Promise<boolean> {
    const [row] = await this.users.manager.query<{ isThere: boolean }[]>(HAS_ADMINISTRATOR);
    return row?.isThere === true;
  }

  /** Ids of all active administrators, locked until the transaction ends. */
  async lockAdministrators(tx: Transaction): Promise<number[]> {
    return (await tx.query<{ id: number }>(LOCK_ADMINISTRATORS)).map(({ id }) => id);
  }
}
