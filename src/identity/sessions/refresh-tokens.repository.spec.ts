import { createHash, randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { contentServices, type ContentServices } from '../../../test/support/content-services.js';
import type { AppConfig } from '../../config/config.js';
import { loadConfig } from '../../config/load-config.js';
import type { Transaction } from '../../database/unit-of-work.js';
import { ApiKey } from '../keys/api-key.entity.js';
import { ApiKeysRepository } from '../keys/api-keys.repository.js';
import { RefreshToken } from './refresh-token.entity.js';
import { type NewRefreshToken, PRUNED_AT_ONCE, RefreshTokensRepository } from './refresh-tokens.repository.js';
import { REVOKED_KEPT, RevokedCredentialsRepository } from '../auth/revoked-credentials.repository.js';

const SECRET = '3f9c1d7a5b8e2046c1d7a5b8e20463f9';
const lookupOf = (text: string): Buffer => createHash('sha256').update(text).digest();

describe('RefreshTokensRepository', () => {
  let services: ContentServices;
  let tokens: RefreshTokensRepository;
  let revocations: RevokedCredentialsRepository;
  let config: AppConfig;
  let userId: number;
  let users = 0;

  beforeAll(async () => {
    services = await contentServices();
    config = loadConfig({}, null, () => SECRET);
    tokens = new RefreshTokensRepository(services.repository(RefreshToken), config);
    revocations = new RevokedCredentialsRepository(services.repository(RefreshToken), config);
  }, 60_000);

  beforeEach(async () => {
    const [user] = await services.database.query<{ id: number }>(
      `WITH n AS (INSERT INTO namespaces (name, kind) VALUES ($1, 'user') RETURNING id)
       INSERT INTO users (namespace_id, username) SELECT id, $1 FROM n RETURNING id`,
      [`tokens-${++users}`],
    );
    userId = user?.id ?? 0;
  });

  function draft(text: string, family: string = randomUUID()): NewRefreshToken {
    const row = { id: randomUUID(), family, kind: 'session', userId, credentialsVersion: 1 } as const;
    return { ...row, clientId: null, apiKeyId: null, lookup: lookupOf(text) };
  }

  it('lets one of two use a token', async () => {
    const token = draft('once');
    await services.unitOfWork.run((tx) => tokens.insert(tx, token));
    const used = await Promise.all([1, 2].map(() => services.unitOfWork.run((tx) => tokens.use(tx, token))));
    expect(used.sort()).toEqual([1, null]);
  });

  it('moves one session to the next version of the credentials, with what was used of it, and what keys bought', async () => {
    const [own, other] = [draft('own'), draft('other')];
    const keyed = { ...draft('keyed'), kind: 'offline', apiKeyId: await newKey() } as const;
    await services.unitOfWork.run(async (tx) => {
      for (const token of [own, other, keyed]) await tokens.insert(tx, token);
      await tokens.use(tx, own);
      await tokens.insert(tx, draft('own again', own.family));
      await raiseVersion(tx);
      await tokens.moveToVersion(tx, userId, own.family, 2);
    });
    const versions = await Promise.all(
      ['own', 'own again', 'other', 'keyed'].map(
        async (text) => (await tokens.find(lookupOf(text)))?.credentialsVersion,
      ),
    );
    expect(versions).toEqual([2, 2, undefined, 2]);
  });

  it('lets a rotation that waited for such a move go on under the new version', async () => {
    const token = draft('rotating');
    await services.unitOfWork.run((tx) => tokens.insert(tx, token));
    let used: Promise<number | null> = Promise.resolve(null);
    await services.unitOfWork.run(async (tx) => {
      await tokens.moveToVersion(tx, userId, token.family, 2);
      used = services.unitOfWork.run((other) => tokens.use(other, token));
      await untilOneWaits();
    });
    expect(await used).toBe(2);
  });

  it('revokes also the token that somebody rotates to at the same time', async () => {
    const first = draft('first');
    await services.unitOfWork.run((tx) => tokens.insert(tx, first));
    let revoked: Promise<boolean> = Promise.resolve(false);
    await services.unitOfWork.run(async (tx) => {
      await tokens.use(tx, first);
      revoked = services.unitOfWork.run((other) => tokens.revokeFamily(other, first));
      await untilOneWaits();
      await tokens.insert(tx, draft('second', first.family));
    });
    expect(await revoked).toBe(true);
    expect(await tokens.find(lookupOf('second'))).toBeNull();
    expect(await revocations.ofUser(userId)).toEqual({ labels: [`session:${first.family}`], until: null });
  });

  it('lets nobody use a token whose family is revoked at the same time', async () => {
    const token = draft('late');
    await services.unitOfWork.run((tx) => tokens.insert(tx, token));
    let used: Promise<number | null> = Promise.resolve(0);
    await services.unitOfWork.run(async (tx) => {
      await tokens.revokeFamily(tx, token);
      used = services.unitOfWork.run((other) => tokens.use(other, token));
      await untilOneWaits();
    });
    expect(await used).toBeNull();
  });

  it('names the last revocations and a time for all before, however many sessions end', async () => {
    const ended: string[] = [];
    for (let index = 0; index < REVOKED_KEPT + 20; index++) {
      const token = draft(`ended-${index}`);
      ended.unshift(`session:${token.family}`);
      await services.unitOfWork.run(async (tx) => {
        await tokens.insert(tx, token);
        await tokens.use(tx, token);
        await tokens.insert(tx, draft(`ended-${index}-again`, token.family));
      });
      expect(await services.unitOfWork.run((tx) => tokens.revokeFamily(tx, token))).toBe(true);
    }
    const going = draft('going');
    await services.unitOfWork.run((tx) => tokens.insert(tx, going));
    const { labels, until } = await revocations.ofUser(userId);
    expect(labels).toEqual(ended.slice(0, REVOKED_KEPT));
    const [first] = await services.database.query<{ at: number }>(
      `SELECT extract(epoch FROM revoked_at)::float8 AS at FROM refresh_tokens WHERE user_id = $1
       ORDER BY revoked_at OFFSET 19 * 2 LIMIT 1`,
      [userId],
    );
    expect(until).toBeGreaterThan(first?.at ?? Infinity);
    const asked = [ended.at(-1), `session:${going.family}`, `session:${randomUUID()}`, 'password'];
    expect(await Promise.all(asked.map((label) => revocations.isRevoked(label ?? '')))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('leaves each revocation to nodes of the version before, for as long as a token may be accepted', async () => {
    for (let index = 0; index < REVOKED_KEPT + 20; index++) {
      const token = draft(`left-${index}`);
      await services.unitOfWork.run((tx) => tokens.insert(tx, token));
      await services.unitOfWork.run((tx) => tokens.revokeFamily(tx, token));
    }
    expect(await labelsOfTheVersionBefore()).toHaveLength(REVOKED_KEPT + 20);
    await services.database.query(
      `UPDATE refresh_tokens SET revoked_at = now() - interval '30 days' WHERE user_id = $1`,
      [userId],
    );
    await services.unitOfWork.run((tx) => tokens.insert(tx, draft('next')));
    expect(await services.database.query('SELECT FROM refresh_tokens WHERE user_id = $1', [userId])).toHaveLength(1);
  });

  it('deletes a bounded number of rows at once', async () => {
    await services.database.query(
      `INSERT INTO refresh_tokens (id, family, kind, lookup, user_id, credentials_version, expires_at, revoked_at)
       SELECT gen_random_uuid(), gen_random_uuid(), 'session', decode(md5($1 || n::text), 'hex'), $1::bigint, 1,
         now() + interval '1 day', now() - interval '30 days' FROM generate_series(1, $2::int) n`,
      [String(userId), PRUNED_AT_ONCE + 7],
    );
    const left: number[] = [];
    for (const text of ['first', 'second']) {
      await services.unitOfWork.run((tx) => tokens.insert(tx, draft(`${text}-${userId}`)));
      left.push((await services.database.query('SELECT FROM refresh_tokens WHERE user_id = $1', [userId])).length);
    }
    expect(left).toEqual([8, 2]);
  });

  it('names the last revocations of keys, and leaves the others to be asked for', async () => {
    const keys = new ApiKeysRepository(services.repository(ApiKey), config);
    const holder = { kind: 'user', id: userId } as const;
    const ids: string[] = [];
    for (let index = 0; index < REVOKED_KEPT + 20; index++) {
      const id = await newKey();
      ids.push(id);
      await services.unitOfWork.run((tx) => keys.revoke(tx, id, holder));
    }
    const { labels, until } = await revocations.ofUser(userId);
    expect([labels.length, typeof until]).toEqual([REVOKED_KEPT, 'number']);
    const asked = [ids[0], await newKey()].map((id) => revocations.isRevoked(`key:${id}`));
    expect(await Promise.all(asked)).toEqual([true, false]);
  });

  it('finds the token of a session that goes on at any moment of a change of the password', async () => {
    const token = draft('lasting');
    await services.unitOfWork.run((tx) => tokens.insert(tx, token));
    const found: unknown[] = [];
    await services.unitOfWork.run(async (tx) => {
      await raiseVersion(tx);
      found.push(await tokens.find(token.lookup));
      await tokens.moveToVersion(tx, userId, token.family, 2);
      found.push(await tokens.find(token.lookup));
    });
    found.push(await tokens.find(token.lookup));
    expect(found).toMatchObject([1, 1, 2].map((credentialsVersion) => ({ id: token.id, credentialsVersion })));
  });

  it('prolongs what goes on through a change of the password under its new version, and nothing that the change ends', async () => {
    const [password, key] = [
      { ...draft('password'), kind: 'offline' } as const,
      { ...draft('key'), kind: 'offline', apiKeyId: await newKey() } as const,
    ];
    await services.unitOfWork.run(async (tx) => {
      for (const token of [password, key]) await tokens.insert(tx, token);
    });
    expect(await Promise.all([password, key].map(({ id }) => tokens.prolong(id)))).toEqual([1, 1]);
    await services.unitOfWork.run(async (tx) => {
      await raiseVersion(tx);
      await tokens.moveToVersion(tx, userId, null, 2);
    });
    expect(await Promise.all([password, key].map(({ id }) => tokens.prolong(id)))).toEqual([null, 2]);
  });

  async function labelsOfTheVersionBefore(): Promise<unknown[]> {
    return services.database.query(
      `SELECT DISTINCT kind || ':' || family AS label FROM refresh_tokens
       WHERE user_id = $1 AND revoked_at > now() - interval '1 day'`,
      [userId],
    );
  }

  async function raiseVersion(tx: Transaction): Promise<void> {
    await tx.query('UPDATE users SET credentials_version = credentials_version + 1 WHERE id = $1', [userId]);
  }

  async function newKey(): Promise<string> {
    const id = randomUUID();
    await services.database.query(
      `INSERT INTO api_keys (id, user_id, name, lookup, scopes) VALUES ($1, $2, 'k', $3, '{repo:pull}')`,
      [id, userId, lookupOf(id)],
    );
    return id;
  }

  async function untilOneWaits(): Promise<void> {
    const WAITING = 'SELECT FROM pg_locks WHERE NOT granted';
    while ((await services.database.query(WAITING)).length === 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }
});
