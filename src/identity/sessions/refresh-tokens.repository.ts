import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { AppConfig } from '../../config/config.js';
import type { Transaction } from '../../database/unit-of-work.js';
import { RefreshToken } from './refresh-token.entity.js';

export type RefreshTokenKind = RefreshToken['kind'];

export type RefreshTokenRow = Pick<
  RefreshToken,
  'id' | 'family' | 'kind' | 'userId' | 'credentialsVersion' | 'clientId' | 'usedAt' | 'apiKeyId'
> & {
  /** Of the key that it was bought with; `null` for a password. */
  readonly keyScopes: readonly string[] | null;
  readonly keyRepositories: readonly string[] | null;
  /** Seconds since the epoch. */
  readonly keyExpiresAt: number | null;
};

export type NewRefreshToken = Omit<RefreshTokenRow, 'usedAt' | 'keyScopes' | 'keyRepositories' | 'keyExpiresAt'> &
  Pick<RefreshToken, 'lookup'>;

// Both versions of the credentials are read in one snapshot: of a session that goes on through a change of the password,
// two questions one after the other could see one before the change and one after it.
const FIND = `
SELECT t.id, t.family, t.kind, t.user_id AS "userId", t.credentials_version AS "credentialsVersion",
  t.client_id AS "clientId", t.used_at AS "usedAt", t.api_key_id AS "apiKeyId", k.scopes AS "keyScopes",
  k.repositories AS "keyRepositories", extract(epoch FROM k.expires_at)::float8 AS "keyExpiresAt"
FROM refresh_tokens t JOIN users u ON u.id = t.user_id AND u.credentials_version = t.credentials_version
  LEFT JOIN api_keys k ON k.id = t.api_key_id
WHERE t.lookup = $1 AND t.revoked_at IS NULL AND t.expires_at > now()
  AND (k.id IS NULL OR (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())))`;

const INSERT = `
INSERT INTO refresh_tokens (id, family, kind, lookup, user_id, credentials_version, client_id, api_key_id, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9 * interval '1 second')`;

// The family's first row stands for all of it. Without it a revocation would not see the token that a rotation at the
// same time is about to insert, and that one would live on.
const LOCK_FAMILY = 'SELECT id FROM refresh_tokens WHERE family = $1 ORDER BY created_at, id LIMIT 1 FOR UPDATE';

const USE = `
WITH used AS (
  UPDATE refresh_tokens SET used_at = now()
  WHERE id = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > now()
  RETURNING credentials_version AS version
) SELECT version FROM used`;

const PROLONG = `
WITH prolonged AS (
  UPDATE refresh_tokens t SET expires_at = now() + $2 * interval '1 second' FROM users u
  WHERE t.id = $1 AND t.revoked_at IS NULL AND t.expires_at > now()
    AND u.id = t.user_id AND u.credentials_version = t.credentials_version
  RETURNING t.credentials_version AS version
) SELECT version FROM prolonged`;

// The time is later than that of every token that the family was given before this one had its lock.
const REVOKE = `
WITH revoked AS (
  UPDATE refresh_tokens SET revoked_at = clock_timestamp() WHERE family = $1 AND revoked_at IS NULL RETURNING id
) SELECT id FROM revoked`;

// Used ones too: a copy of one must still be known as such.
const MOVE = `
UPDATE refresh_tokens SET credentials_version = $3
WHERE user_id = $1 AND (family = $2 OR api_key_id IS NOT NULL) AND revoked_at IS NULL AND credentials_version = $3 - 1`;

/** Rows that one statement deletes: more than are created between two of them. */
export const PRUNED_AT_ONCE = 500;

// A revoked row is needed for as long as access tokens that came from it. Nothing else is deleted: nodes of the version
// before look for each revocation of that time.
const PRUNE = `
WITH old AS (
  SELECT id FROM refresh_tokens WHERE user_id = $1
    AND (expires_at < now() - $2 * interval '1 second' OR revoked_at < now() - $2 * interval '1 second')
  LIMIT ${PRUNED_AT_ONCE} FOR UPDATE SKIP LOCKED
)
DELETE FROM refresh_tokens t USING old WHERE t.id = old.id`;

@Injectable()
export class RefreshTokensRepository {
  /** How long an access token may be accepted after its refresh token was revoked or has expired; seconds. */
  private readonly afterlife: number;
  private readonly life: number;

  constructor(
    @InjectRepository(RefreshToken) private readonly tokens: Repository<RefreshToken>,
    { security, storage }: AppConfig,
  ) {
    this.life = security.refreshTokenSeconds;
    this.afterlife = security.accessTokenSeconds + storage.uploadExpirySeconds;
  }

  /** One that is neither revoked nor expired, nor ended by a change of the password; it may have been used. */
  async find(lookup: Buffer): Promise<RefreshTokenRow | null> {
    const [row] = await this.tokens.manager.query<RefreshTokenRow[]>(FIND, [lookup]);
    return row ?? null;
  }

  /** Also drops what the user has left behind, so that the table follows the number of users. */
  async insert(tx: Transaction, token: NewRefreshToken): Promise<void> {
    const { id, family, kind, lookup, userId, credentialsVersion, clientId, apiKeyId } = token;
    await tx.query(PRUNE, [userId, this.afterlife]);
    await tx.query(INSERT, [id, family, kind, lookup, userId, credentialsVersion, clientId, apiKeyId, this.life]);
  }

  /** The token's version of the credentials for exactly one caller; `null` for others, and after a revocation. */
  async use(tx: Transaction, { id, family }: Pick<RefreshTokenRow, 'id' | 'family'>): Promise<number | null> {
    await tx.query(LOCK_FAMILY, [family]);
    const [used] = await tx.query<{ version: number }>(USE, [id]);
    return used?.version ?? null;
  }

  /** The token's version of the credentials; `null` when it has ended meanwhile. */
  async prolong(id: string): Promise<number | null> {
    const [prolonged] = await this.tokens.manager.query<{ version: number }[]>(PROLONG, [id, this.life]);
    return prolonged?.version ?? null;
  }

  /** False when there was nothing left to revoke. */
  async revokeFamily(tx: Transaction, { family }: Pick<RefreshTokenRow, 'family'>): Promise<boolean> {
    await tx.query(LOCK_FAMILY, [family]);
    return (await tx.query(REVOKE, [family])).length > 0;
  }

  /** From the version before: what this family has, and what was bought with a key. */
  async moveToVersion(tx: Transaction, userId: number, family: string | null, version: number): Promise<void> {
    if (family !== null) await tx.query(LOCK_FAMILY, [family]);
    await tx.query(MOVE, [userId, family, version]);
  }
}

/** How access tokens, logs and uploads name the credential. */
export function credentialLabel({ kind, family }: Pick<RefreshTokenRow, 'kind' | 'family'>): string {
  return `${kind}:${family}`;
}
