import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import type { Transaction } from '../database/unit-of-work.js';
import type { KeyHolderKind } from './api-key-text.js';
import { ApiKey } from './api-key.entity.js';

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

const insertFor = (kind: KeyHolderKind): string => `
INSERT INTO api_keys (id, ${COLUMNS[kind]}, name, lookup, scopes, repositories, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING created_at AS "createdAt"`;

const revokeFor = (kind: KeyHolderKind): string => `
WITH revoked AS (
  UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND ${COLUMNS[kind]} = $2 AND revoked_at IS NULL RETURNING id
), tokens AS (
  UPDATE refresh_tokens SET revoked_at = now() WHERE api_key_id IN (SELECT id FROM revoked) AND revoked_at IS NULL
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
  constructor(@InjectRepository(ApiKey) private readonly keys: Repository<ApiKey>) {}

  /** One that is neither revoked nor expired. */
  async find(lookup: Buffer): Promise<ApiKeyRow | null> {
    const [row] = await this.keys.manager.query<ApiKeyRow[]>(FIND, [lookup]);
    return row ?? null;
  }

  async insert(tx: Transaction, key: NewApiKey): Promise<{ createdAt: Date }> {
    const { id, holder, name, lookup, scopes, repositories, expiresAt } = key;
    const parameters = [id, holder.id, name, lookup, scopes, repositories, expiresAt];
    const [row] = await tx.query<{ createdAt: Date }>(insertFor(holder.kind), parameters);
    if (!row) throw new Error('an insert returned no row');
    return row;
  }

  /** Together with the refresh tokens that it bought; false when the holder has no such key. */
  async revoke(tx: Transaction, id: string, holder: KeyHolder): Promise<boolean> {
    return (await tx.query(revokeFor(holder.kind), [id, holder.id])).length === 1;
  }

  /** Those that are not revoked, the oldest first. */
  list({ kind, id }: KeyHolder): Promise<ApiKey[]> {
    const holder = kind === 'user' ? { userId: id } : { robotId: id };
    return this.keys.find({ where: { ...holder, revokedAt: IsNull() }, order: { createdAt: 'ASC', id: 'ASC' } });
  }

  async count(tx: Transaction, { kind, id }: KeyHolder): Promise<number> {
    const sql = `SELECT count(*)::int AS count FROM api_keys WHERE ${COLUMNS[kind]} = $1 AND revoked_at IS NULL`;
    const [row] = await tx.query<{ count: number }>(sql, [id]);
    return row?.count ?? 0;
  }

  async markUsed(uses: readonly KeyUse[]): Promise<void> {
    const columns = [uses.map(({ id }) => id), uses.map(({ at }) => at), uses.map(({ address }) => address)];
    await this.keys.manager.query(MARK_USED, columns);
  }
}
