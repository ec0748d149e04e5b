import { createHash, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { contentServices, type ContentServices } from '../../test/support/content-services.js';
import { loadConfig } from '../config/load-config.js';
import { RefreshToken } from './refresh-token.entity.js';
import { type NewRefreshToken, RefreshTokensRepository } from './refresh-tokens.repository.js';

const SECRET = '3f9c1d7a5b8e2046c1d7a5b8e20463f9';
const lookupOf = (text: string): Buffer => createHash('sha256').update(text).digest();

describe('RefreshTokensRepository', () => {
  let services: ContentServices;
  let tokens: RefreshTokensRepository;
  let userId: number;

  beforeAll(async () => {
    services = await contentServices();
    tokens = new RefreshTokensRepository(
      services.repository(RefreshToken),
      loadConfig({}, null, () => SECRET),
    );
    const [user] = await services.database.query<{ id: number }>(
      `WITH n AS (INSERT INTO namespaces (name, kind) VALUES ('tokens', 'user') RETURNING id)
       INSERT INTO users (namespace_id, username) SELECT id, 'tokens' FROM n RETURNING id`,
    );
    userId = user?.id ?? 0;
  }, 60_000);

  function draft(text: string, family: string = randomUUID()): NewRefreshToken {
    const row = { id: randomUUID(), family, kind: 'session', userId, credentialsVersion: 1, clientId: null } as const;
    return { ...row, lookup: lookupOf(text) };
  }

  it('lets one of two use a token', async () => {
    const token = draft('once');
    await services.unitOfWork.run((tx) => tokens.insert(tx, token));
    const used = await Promise.all([1, 2].map(() => services.unitOfWork.run((tx) => tokens.use(tx, token))));
    expect(used.sort()).toEqual([false, true]);
  });

  it('revokes also the token that somebody rotates to at the same time', async () => {
    const first = draft('first');
    await services.unitOfWork.run((tx) => tokens.insert(tx, first));
    let revoked: Promise<void> = Promise.resolve();
    await services.unitOfWork.run(async (tx) => {
      await tokens.use(tx, first);
      revoked = services.unitOfWork.run((other) => tokens.revokeFamily(other, first.family));
      await untilOneWaits();
      await tokens.insert(tx, draft('second', first.family));
    });
    await revoked;
    expect(await tokens.find(lookupOf('second'))).toBeNull();
    expect(await tokens.revokedLabels(userId)).toEqual([`session:${first.family}`]);
  });

  it('lets nobody use a token whose family is revoked at the same time', async () => {
    const token = draft('late');
    await services.unitOfWork.run((tx) => tokens.insert(tx, token));
    let used: Promise<boolean> = Promise.resolve(true);
    await services.unitOfWork.run(async (tx) => {
      await tokens.revokeFamily(tx, token.family);
      used = services.unitOfWork.run((other) => tokens.use(other, token));
      await untilOneWaits();
    });
    expect(await used).toBe(false);
  });

  async function untilOneWaits(): Promise<void> {
    const WAITING = 'SELECT FROM pg_locks WHERE NOT granted';
    while ((await services.database.query(WAITING)).length === 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }
});
