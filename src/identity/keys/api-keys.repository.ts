import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { AppConfig } from '../../config/config.js';
import type { Transaction } from '../../database/unit-of-work.js';
import { FROM_THE_BEGINNING, type TimePage } from '../../http/paging/time-page.js';
import type { KeyHolderKind } from './api-key-text.js';
import { ApiKey } from './api-key.entity.js';
import { PRUNED_AT_ONCE } from '../sessions/refresh-tokens.repository.js';

export interface KeyHolder {
  readonly kind: KeyHolderKind;
  readonly id: number;
}

/** A key as a request needs it: nothing of it ever changes, except that it is revoked. */
export interface ApiKeyRow {
  readonly id: string;
  readonly userId: number | null;
  readonly robotId: number | null;
  readonly scopes: readonly string[];
  readonly repositories: readonly string[] | null;
  /** Seconds since the epoch. */
  readonly expiresAt: number | null;
}

export interface NewApiKey {
  readonly id: string;
  readonly holder: KeyHolder;
  readonly name: string;
  readonly lookup: Buffer;
  readonly scopes: readonly string[];
  readonly repositories: readonly string[] | null;
  readonly expiresAt: Date | null;
}

/** A key as its holder sees it: never the key itself. */
export type ApiKeyRecord = Readonly<
  Pick<ApiKey, 'id' | 'name' | 'scopes' | 'repositories' | 'expiresAt' | 'lastUsedAt' | 'lastUsedAddress' | 'createdAt'>
> & {
  /** Microseconds since the epoch. */
  readonly createdMicros: number;
};

/** When and from where a key was last seen. */
export interface KeyUse {
  readonly id: string;
  readonly at: Date;
  readonly address: string;
}

const FIND = `
SELECT id, user_id AS "userId", robot_id AS "robotId", scopes, repositories,
  extract(epoch FROM expires_at)::float8 AS "expiresAt"
FROM api_keys WHERE lookup = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`;

const COLUMNS = { user: 'user_id', robot: 'robot_id' } as const satisfies Record<KeyHolderKind, string>;

const MICROS = `(extract(epoch FROM created_at) * 1000000)::bigint`;

const RECORD = `id, name, scopes, repositories, expires_at AS "expiresAt", last_used_at AS "lastUsedAt",
  last_used_address AS "lastUsedAddress", created_at AS "createdAt", ${MICROS} AS "createdMicros"`;

const insertFor = (kind: KeyHolderKind): string => `
INSERT INTO api_keys (id, ${COLUMNS[kind]}, name, lookup, scopes, repositories, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${RECORD}`;

// A holder has few, by the limit on them: they are found by the holder and sorted.
const listFor = (kind: KeyHolderKind): string => `
SELECT ${RECORD} FROM api_keys
WHERE ${COLUMNS[kind]} = $1 AND revoked_at IS NULL
  AND (created_at, id) > (timestamptz 'epoch' + $2::bigint * interval '1 microsecond', $3::uuid)
ORDER BY created_at, id LIMIT $4`;

// One holder's keys are made one after the other, so that their number can be trusted.
const LOCK_HOLDER = {
  user: 'SELECT id FROM users WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE',
  robot: 'SELECT id FROM robots WHERE id = $1 FOR NO KEY UPDATE',
} as const satisfies Record<KeyHolderKind, string>;

// A revoked row is needed for as long as access tokens obtained with it.
const pruneFor = (kind: KeyHolderKind): string => `
WITH old AS (
  SELECT id FROM api_keys WHERE ${COLUMNS[kind]} = $1 AND revoked_at < now() - $2 * interval '1 second'
  LIMIT ${PRUNED_AT_ONCE} FOR UPDATE SKIP LOCKED
)
DELETE FROM api_keys k USING old WHERE k.id = old.id`;

const revokeFor = (kind: KeyHolderKind): string => `
WITH revoked AS (
  UPDATE api_keys SET revoked_at = clock_timestamp() WHERE id = $1 AND ${COLUMNS[kind]} = $2 AND revoked_at IS NULL RETURNING id
), tokens AS (
  UPDATE refresh_tokens SET revoked_at = clock_timestamp() WHERE api_key_id IN (SELECT id FROM revoked) AND revoked_at IS NULL
)
SELECT id FROM revoked`;

// Several nodes report the same keys: in one order, so that none waits for another in a circle.
const MARK_USED = `
UPDATE api_keys k SET last_used_at = u.at, last_used_address = u.address
FROM (
  SELECT k.id, u.at, u.address FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS u(id, at, address)
  JOIN api_keys k ON k.id = u.id WHERE k.last_used_at IS NULL OR k.last_used_at < u.at
  ORDER BY k.id FOR UPDATE OF k
) u WHERE k.id = u.id`;

@Injectable()
export class ApiKeysRepository {
  /** How long an access token may be accepted after its key was revoked; seconds. */
  private readonly afterlife: number;

  constructor(
    @InjectRepository(ApiKey) private readonly keys: Repository<ApiKey>,
    { security, storage }: AppConfig,
  ) {
    this.afterlife = security.accessTokenSeconds + storage.uploadExpirySeconds;
  }

  /** One that is neither revoked nor expired. */
  async find(lookup: Buffer): Promise<ApiKeyRow | null> {
    const [row] = await this.keys.manager.query<ApiKeyRow[]>(FIND, [lookup]);
    return row ?? null;
  }

  /** Also drops what the holder has revoked long ago. */
  async insert(tx: Transaction, key: NewApiKey): Promise<ApiKeyRecord> {
    const { id, holder, name, lookup, scopes, repositories, expiresAt } = key;
    await tx.query(pruneFor(holder.kind), [holder.id, this.afterlife]);
    const parameters = [id, holder.id, name, lookup, scopes, repositories, expiresAt];
    const [row] = await tx.query<ApiKeyRecord>(insertFor(holder.kind), parameters);
    if (!row) throw new Error('an insert returned no row');
    return row;
  }

  /** Together with the refresh tokens that it bought; false when the holder has no such key. */
  async revoke(tx: Transaction, id: string, holder: KeyHolder): Promise<boolean> {
    return (await tx.query(revokeFor(holder.kind), [id, holder.id])).length > 0;
  }

  /** Those that are not revoked, the oldest first. */
  list({ kind, id }: KeyHolder, { after, limit }: TimePage): Promise<ApiKeyRecord[]> {
    return this.keys.manager.query(listFor(kind), [id, ...(after ?? FROM_THE_BEGINNING), limit]);
  }

  /** How many the holder has, until the transaction ends; `null` when there is no such holder any more. */
  async countLocked(tx: Transaction, { kind, id }: KeyHolder): Promise<number | null> {
    if ((await tx.query(LOCK_HOLDER[kind], [id])).length === 0) return null;
    const sql = `SELECT count(*)::int AS count FROM api_keys WHERE ${COLUMNS[kind]} = $1 AND revoked_at IS NULL`;
    const [row] = await tx.query<{ count: number }>(sql, [id]);
    return row?.count ?? 0;
  }

  async markUsed(uses: readonly KeyUse[]): Promise<void> {
    const columns = [uses.map(({ id }) => id), uses.map(({ at }) => at), uses.map(({ address }) => address)];
    await this.keys.manager.query(MARK_USED, columns);
  }
}
