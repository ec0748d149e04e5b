import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { contentServices, type ContentServices } from '../../../test/support/content-services.js';
import { loadConfig } from '../../config/load-config.js';
import { newKeyText } from './api-key-text.js';
import { ApiKey } from './api-key.entity.js';
import { ApiKeysRepository, type KeyUse } from './api-keys.repository.js';
import { ApiKeysService, type IssuedKey, type KeyDraft, type KeyOwner, MAX_KEYS } from './api-keys.service.js';
import { KeyUses } from './key-uses.js';
import { RefreshToken } from '../sessions/refresh-token.entity.js';
import { RevokedCredentialsRepository } from '../auth/revoked-credentials.repository.js';

const SECRET = '3f9c1d7a5b8e2046c1d7a5b8e20463f9';
const ACTOR = { principal: 'user:1', credential: 'password', address: '192.0.2.1' };
const DRAFT: KeyDraft = { name: 'laptop', scopes: ['repo:pull'], repositories: ['acme/app'], expiresAt: null };
const HERE = '192.0.2.7';

let count = 0;

describe('ApiKeysService', () => {
  let services: ContentServices;
  let repository: ApiKeysRepository;
  let revocations: RevokedCredentialsRepository;
  let uses: KeyUses;
  let keys: ApiKeysService;
  let owner: KeyOwner;

  beforeAll(async () => {
    services = await contentServices();
    const config = loadConfig({}, null, () => SECRET);
    repository = new ApiKeysRepository(services.repository(ApiKey), config);
    revocations = new RevokedCredentialsRepository(services.repository(RefreshToken), config);
    uses = new KeyUses(repository);
    keys = new ApiKeysService(repository, uses, services.events, services.unitOfWork, config);
  }, 60_000);

  beforeEach(async () => {
    const name = `holder-${++count}`;
    const [user] = await services.database.query<{ id: string; namespace_id: string }>(
      `WITH n AS (INSERT INTO namespaces (name, kind) VALUES ($1, 'user') RETURNING id)
       INSERT INTO users (namespace_id, username) SELECT id, $1 FROM n RETURNING id, namespace_id`,
      [name],
    );
    owner = {
      kind: 'user',
      id: Number(user?.id),
      resource: `user:${name}`,
      namespaceId: Number(user?.namespace_id),
    };
  });

  const issue = (draft: Partial<KeyDraft> = {}): Promise<IssuedKey> =>
    services.unitOfWork.run((tx) => keys.issue(tx, owner, { ...DRAFT, ...draft }, ACTOR));
  const names = async (): Promise<string[]> =>
    (await keys.list(owner, { limit: 100, after: null })).map(({ name }) => name);

  it('issues a key that is found with its limits, and that the database does not have', async () => {
    const { id, key } = await issue();
    expect(await keys.find(key, HERE)).toEqual({
      id,
      label: `key:${id}`,
      holder: { kind: 'user', id: owner.id },
      limits: { actions: ['pull'], repositories: ['acme/app'] },
      expiresAt: null,
      foundAt: expect.any(Number),
    });
    const stored = await services.database.query('SELECT k::text, a::text FROM api_keys k, audit_events a');
    expect(JSON.stringify(stored)).toContain(id);
    expect(JSON.stringify(stored)).not.toContain(key.slice(-20));
  });

  it('refuses what can be no key without a question to the database, and asks for others once', async () => {
    const { key } = await issue();
    const find = jest.spyOn(repository, 'find');
    const broken = `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`;
    for (const text of [broken, 'aerugo_pat_', 'password', '']) expect(await keys.find(text, HERE)).toBeNull();
    expect(find).not.toHaveBeenCalled();
    for (let i = 0; i < 3; i++) expect(await keys.find(key, HERE)).not.toBeNull();
    expect(find).toHaveBeenCalledTimes(1);
    expect(keys.find(key, HERE)).not.toBeInstanceOf(Promise);
    expect(await keys.find(newKeyText('user'), HERE)).toBeNull();
    find.mockRestore();
  });

  it('tells the holder’s facts of a revocation, for those who remember the key', async () => {
    const { id, key } = await issue();
    expect(await keys.find(key, HERE)).not.toBeNull();
    const drop = jest.spyOn(services.facts, 'drop');
    await keys.revoke(owner, id, ACTOR);
    expect(drop).toHaveBeenCalledWith([`user:${owner.id}`]);
    expect(await revocations.ofUser(owner.id)).toEqual({ labels: [`key:${id}`], until: null });
    await expect(keys.revoke(owner, id, ACTOR)).rejects.toMatchObject({ condition: 'notFound' });
    expect(await names()).toEqual([]);
  });

  it('revokes a key of its owner only', async () => {
    const { id } = await issue();
    const other = { ...owner, id: owner.id - 1 };
    await expect(keys.revoke(other, id, ACTOR)).rejects.toMatchObject({ condition: 'notFound' });
    await expect(keys.revoke(owner, 'x', ACTOR)).rejects.toMatchObject({ condition: 'notFound' });
    expect(await names()).toEqual(['laptop']);
  });

  it('finds no key that is over, also one that it remembers', async () => {
    const end = Date.now() + 3_600_000;
    const { key } = await issue({ expiresAt: new Date(end) });
    expect(await keys.find(key, HERE)).not.toBeNull();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(end - 1);
    const before = keys.find(key, HERE);
    clock.mockReturnValue(end);
    const after = keys.find(key, HERE);
    clock.mockRestore();
    // No promises: the database, which has a clock of its own, was not asked.
    expect([before, after]).toEqual([expect.objectContaining({ expiresAt: end / 1000 }), null]);
    const { key: late } = await issue({ expiresAt: new Date(Date.now() - 1) });
    expect(await keys.find(late, HERE)).toBeNull();
  });

  it('gives an owner so many keys and no more, also at once, and none to one who is gone', async () => {
    await services.database.query(
      `INSERT INTO api_keys (id, user_id, name, lookup, scopes)
       SELECT gen_random_uuid(), $1::bigint, 'k', sha256(($1::bigint || ':' || i)::bytea), '{}' FROM generate_series(1, $2) i`,
      [owner.id, MAX_KEYS - 1],
    );
    const outcomes = await Promise.allSettled([issue(), issue(), issue()]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(issue()).rejects.toMatchObject({ condition: 'impossible' });
    await services.database.query('UPDATE users SET deleted_at = now() WHERE id = $1', [owner.id]);
    await expect(issue()).rejects.toMatchObject({ condition: 'notFound' });
  });

  it('lists the keys of an owner from a position on, without what was revoked', async () => {
    const made = [await issue({ name: 'a' }), await issue({ name: 'b' }), await issue({ name: 'c' })];
    expect(await names()).toEqual(['a', 'b', 'c']);
    const [first] = made;
    if (!first) throw new Error('three were made');
    const rest = await keys.list(owner, { limit: 1, after: [first.createdMicros, first.id] });
    expect(rest.map(({ name }) => name)).toEqual(['b']);
  });

  it('forgets what was revoked long ago with the next key', async () => {
    const { id } = await issue();
    await keys.revoke(owner, id, ACTOR);
    await services.database.query(`UPDATE api_keys SET revoked_at = now() - interval '2 days' WHERE id = $1`, [id]);
    await issue();
    expect(await services.database.query('SELECT FROM api_keys WHERE user_id = $1', [owner.id])).toHaveLength(1);
  });

  describe('uses of keys', () => {
    const lastUse = async (id: string): Promise<Record<string, unknown> | undefined> => {
      const [row] = await keys
        .list(owner, { limit: 100, after: null })
        .then((all) => all.filter((one) => one.id === id));
      return row && { at: row.lastUsedAt, address: row.lastUsedAddress };
    };

    it('are written together, the last one of each key', async () => {
      const [first, second] = [await issue(), await issue()];
      const markUsed = jest.spyOn(repository, 'markUsed');
      await uses.onApplicationShutdown();
      markUsed.mockClear();
      for (const address of ['192.0.2.1', '192.0.2.2']) await keys.find(first.key, address);
      await keys.find(second.key, HERE);
      expect(await lastUse(first.id)).toEqual({ at: null, address: null });
      await uses.onApplicationShutdown();
      await uses.onApplicationShutdown();
      expect(markUsed).toHaveBeenCalledTimes(1);
      expect(await lastUse(first.id)).toEqual({ at: expect.any(Date), address: '192.0.2.2' });
      expect(await lastUse(second.id)).toMatchObject({ address: HERE });
      markUsed.mockRestore();
    });

    it('of another node do not go back in time', async () => {
      const { id } = await issue();
      const use = (at: number, address: string): KeyUse => ({ id, at: new Date(at), address });
      await repository.markUsed([use(2_000, 'late')]);
      await repository.markUsed([use(1_000, 'early')]);
      expect(await lastUse(id)).toEqual({ at: new Date(2_000), address: 'late' });
    });

    it('are lost, not in the way, while the database is away', async () => {
      const { id, key } = await issue();
      await keys.find(key, HERE);
      const markUsed = jest.spyOn(repository, 'markUsed').mockRejectedValueOnce(new Error('away'));
      await uses.onApplicationShutdown();
      await uses.onApplicationShutdown();
      expect(markUsed).toHaveBeenCalledTimes(1);
      expect(await lastUse(id)).toMatchObject({ at: null });
      markUsed.mockRestore();
    });
  });
});
