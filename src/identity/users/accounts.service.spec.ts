import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startCleanup } from '../../../test/support/cleanup-services.js';
import { contentServices, type ContentServices } from '../../../test/support/content-services.js';
import { keepingRepositories } from '../../../test/support/namespace-contents.js';
import { loadConfig } from '../../config/load-config.js';
import { AccountDeletionRepository } from './account-deletion.repository.js';
import { AccountDeletionService } from './account-deletion.service.js';
import { AccountsService, type NewAccount } from './accounts.service.js';
import { Invitation } from './invitations/invitation.entity.js';
import { InvitationsRepository } from './invitations/invitations.repository.js';
import { InvitationsService } from './invitations/invitations.service.js';
import { User } from './user.entity.js';
import { type UserChanges, type UserRecord, UsersRepository } from './users.repository.js';

const ACTOR = { principal: 'user:1', credential: 'password', address: '192.0.2.1' };

let count = 0;

describe('accounts', () => {
  let services: ContentServices;
  let users: UsersRepository;
  let invitations: InvitationsService;
  let accounts: AccountsService;
  let deletions: AccountDeletionService;
  let name: string;

  beforeAll(async () => {
    services = await contentServices();
    const { events, unitOfWork } = services;
    users = new UsersRepository(services.repository(User));
    invitations = new InvitationsService(
      new InvitationsRepository(services.repository(Invitation)),
      events,
      unitOfWork,
    );
    const config = loadConfig({ DEFAULT_NAMESPACE: 'library' }, null, () => '0'.repeat(32));
    accounts = new AccountsService(users, invitations, events, unitOfWork, config);
    deletions = new AccountDeletionService(users, new AccountDeletionRepository(), events, unitOfWork);
    startCleanup(services);
  }, 60_000);

  beforeEach(() => {
    name = `user-${++count}`;
  });

  function create(username = name, extra: Partial<NewAccount> = {}): Promise<UserRecord> {
    const texts = { email: null, displayName: null, invitation: null };
    const account = { username, passwordHash: 'x', byAdministrator: false, ...texts, ...extra };
    return services.unitOfWork.run((tx) => accounts.create(tx, account, ACTOR));
  }

  const isAdministrator = (user: UserRecord, admin: boolean): Promise<UserRecord | null> =>
    accounts.update(user, { admin }, null, ACTOR);

  /** Organizations with the user as their owner, or something less. */
  async function newOrganization(userId: number, role = 'owner'): Promise<number> {
    const [org] = await services.database.query<{ id: number }>(
      `WITH n AS (INSERT INTO namespaces (name, kind) VALUES ($1, 'org') RETURNING id),
         o AS (INSERT INTO orgs (namespace_id) SELECT id FROM n RETURNING id)
       SELECT id FROM o`,
      [`org-${++count}`],
    );
    const id = Number(org?.id);
    await join(id, userId, role);
    return id;
  }

  async function join(orgId: number, userId: number, role: string, consented = true): Promise<void> {
    await services.database.query(
      'INSERT INTO org_members (org_id, user_id, role, consented) VALUES ($1, $2, $3, $4)',
      [orgId, userId, role, consented],
    );
  }

  describe('are made', () => {
    it('with the namespace of the same name, and an entry in the audit log', async () => {
      const { namespaceId } = await create();
      const { query } = services.database;
      expect(await query('SELECT name, kind FROM namespaces WHERE id = $1', [namespaceId])).toEqual([
        { name, kind: 'user' },
      ]);
      expect(
        await query('SELECT action, actor, address FROM audit_events WHERE resource = $1', [`user:${name}`]),
      ).toEqual([{ action: 'user.create', actor: 'user:1', address: '192.0.2.1' }]);
    });

    it('once under a name, however many ask for it at once', async () => {
      const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => create()));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      await expect(create()).rejects.toMatchObject({ condition: 'nameTaken' });
    });

    it('under no name of an organization, and none that is reserved', async () => {
      await expect(create('acme')).rejects.toMatchObject({ condition: 'nameTaken' });
      for (const byAdministrator of [false, true]) {
        await expect(create('robot-x', { byAdministrator })).rejects.toMatchObject({ condition: 'impossible' });
      }
    });

    it('under no name that the configuration gives a meaning to, but by an administrator', async () => {
      await expect(create('library')).rejects.toMatchObject({ condition: 'impossible' });
      await create('library', { byAdministrator: true });
      await expect(create('admin')).rejects.toMatchObject({
        condition: 'nameTaken',
        detail: expect.not.stringContaining('ADMIN_USERNAME'),
      });
      await expect(create('admin', { byAdministrator: true })).rejects.toMatchObject({
        condition: 'nameTaken',
        detail: expect.stringContaining('ADMIN_USERNAME'),
      });
    });
  });

  describe('by invitation', () => {
    const issue = (expiresAt: Date | null = null): Promise<{ code: string; id: string; expiresAt: Date }> =>
      services.unitOfWork.run((tx) => invitations.issue(tx, { note: null, expiresAt }, ACTOR));
    const all = () => invitations.list({ limit: 100, after: null });

    it('one is made for one code, however many come with it at once', async () => {
      const { code, id } = await issue();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 5 }, (_, i) => create(`${name}-${i}`, { invitation: code })),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const [invitation] = (await all()).filter((one) => one.id === id);
      expect(invitation?.usedBy).toContain(name);
    });

    it('a code stays good when the name is taken', async () => {
      const { code } = await issue();
      await expect(create('acme', { invitation: code })).rejects.toMatchObject({ condition: 'nameTaken' });
      await create(name, { invitation: code });
    });

    it('none is made for a code that is unknown, over or taken back, and nothing is said of the name', async () => {
      const over = await issue();
      await services.database.query('UPDATE invitations SET expires_at = now() WHERE id = $1', [over.id]);
      const revoked = await issue();
      await invitations.revoke(revoked.id, ACTOR);
      for (const invitation of ['aerugo_inv_x', over.code, revoked.code]) {
        await expect(create('acme', { invitation })).rejects.toMatchObject({ condition: 'impossible' });
      }
    });

    it('a code is good for seven days, and is not in the database', async () => {
      const { code, expiresAt } = await issue();
      const days = (expiresAt.getTime() - Date.now()) / 86_400_000;
      expect([days > 6.9, days <= 7]).toEqual([true, true]);
      const stored = await services.database.query('SELECT i::text, a::text FROM invitations i, audit_events a');
      expect(JSON.stringify(stored)).not.toContain(code);
    });

    it('one that was used is not taken back', async () => {
      const { code, id } = await issue();
      await create(name, { invitation: code });
      await expect(invitations.revoke(id, ACTOR)).rejects.toMatchObject({ condition: 'conflict' });
      await expect(invitations.revoke('00000000-0000-4000-8000-000000000000', ACTOR)).rejects.toMatchObject({
        condition: 'notFound',
      });
    });

    it('invitations are paged in the order in which they were made', async () => {
      const made = [await issue(), await issue(), await issue()];
      const rows = await all();
      const from = rows.findIndex(({ id }) => id === made[0]?.id);
      const before = rows[from];
      if (!before) throw new Error('the first is not there');
      const page = await invitations.list({ limit: 2, after: [before.createdMicros, before.id] });
      expect(page.map(({ id }) => id)).toEqual([made[1]?.id, made[2]?.id]);
    });
  });

  it('are listed by name, from a position on, by how they begin', async () => {
    for (const end of ['b', 'a', 'c']) await create(`list-${end}`);
    await create('lisu');
    const names = async (prefix: string, after: string | null, limit = 10): Promise<string[]> =>
      (await accounts.list(prefix, { limit, after: after === null ? null : [after] })).map(({ username }) => username);
    expect(await names('list-', null)).toEqual(['list-a', 'list-b', 'list-c']);
    expect(await names('list-', 'list-a', 1)).toEqual(['list-b']);
    expect(await names('lis', 'list-c')).toEqual(['lisu']);
    expect(await names('', 'list-c')).toEqual(expect.arrayContaining(['lisu']));
  });

  describe('are changed', () => {
    it('in what is given and nothing else, null taking it away', async () => {
      const user = await create(name, { email: 'u@example.com', displayName: 'U' });
      expect(await accounts.update(user, { displayName: null }, null, ACTOR)).toMatchObject({
        email: 'u@example.com',
        displayName: null,
      });
      expect(await accounts.update(user, { disabled: true }, null, ACTOR)).toMatchObject({
        disabledAt: expect.any(Date),
        email: 'u@example.com',
      });
      expect(await accounts.update(user, { disabled: false }, null, ACTOR)).toMatchObject({ disabledAt: null });
    });

    it('so that no session outlives that they are disabled, whatever the version before left', async () => {
      const user = await create();
      const version = async (): Promise<unknown> => (await users.findFact(user.id))?.credentialsVersion;
      const change = async (changes: UserChanges): Promise<unknown> => {
        await accounts.update(user, changes, null, ACTOR);
        return version();
      };
      expect(await change({ disabled: false, displayName: 'U' })).toBe(1);
      expect(await change({ disabled: true })).toBe(2);
      expect(await change({ disabled: true, email: 'u@example.com' })).toBe(2);
      expect(await change({ disabled: false })).toBe(3);
      // As a node does that raises no version.
      await services.database.query('UPDATE users SET disabled_at = now() WHERE id = $1', [user.id]);
      expect(await change({ displayName: null })).toBe(3);
      expect(await change({ disabled: false })).toBe(4);
    });

    it('by one of many who saw the same version', async () => {
      const user = await create();
      const changes = Array.from({ length: 6 }, (_, i) =>
        accounts.update(user, { displayName: `writer ${i}` }, user.updatedAt, ACTOR),
      );
      expect((await Promise.all(changes)).filter((changed) => changed !== null)).toHaveLength(1);
    });

    it('to a version of its own each time, also within a millisecond', async () => {
      const user = await create();
      const times = await services.unitOfWork.run(async (tx) => {
        const first = await users.update(tx, user.id, { displayName: 'a' }, null);
        const second = await users.update(tx, user.id, { displayName: 'b' }, null);
        return [first, second].map((version) => version?.updatedAt.getTime() ?? 0);
      });
      expect(times[1]).toBeGreaterThan(times[0] ?? 0);
    });

    it('so that one administrator is left of two who unmake each other at once', async () => {
      const pair = [await create(`${name}-a`), await create(`${name}-b`)];
      for (const user of pair) await isAdministrator(user, true);
      const outcomes = await Promise.allSettled([
        ...pair.map((user) => isAdministrator(user, false)),
        ...pair.map((user) => accounts.update(user, { disabled: true }, null, ACTOR)),
        ...pair.map((user) => deletions.delete(user, ACTOR, keepingRepositories(services))),
      ]);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(['conflict', 'notFound']).toContain(reasonOf(outcome));
      }
      const left = await services.unitOfWork.run((tx) => users.lockAdministrators(tx));
      expect(left).toHaveLength(1);
      await services.database.query('UPDATE users SET admin = false WHERE admin');
    });
  });

  describe('are deleted', () => {
    it('with all that they have, and the name stays taken', async () => {
      const user = await create(name, { email: 'u@example.com' });
      const orgId = await newOrganization((await create(`${name}-owner`)).id);
      await join(orgId, user.id, 'member');
      const { query } = services.database;
      const repository = await services.newRepository(`granted-${count}`);
      const { id: repoId, path } = repository;
      await query(`INSERT INTO repo_grants (repo_id, path, user_id, role) VALUES ($1, $2, $3, 'read')`, [
        repoId,
        path,
        user.id,
      ]);
      await query(`INSERT INTO teams (org_id, name) VALUES ($1, 'team') RETURNING id`, [orgId]).then(([team]) =>
        query('INSERT INTO team_members (team_id, user_id) VALUES ($1, $2)', [team?.['id'], user.id]),
      );
      await query(
        `INSERT INTO api_keys (id, user_id, name, lookup, scopes) VALUES (gen_random_uuid(), $1, 'k', $2, '{}')`,
        [user.id, Buffer.from(name)],
      );
      await query(
        `INSERT INTO org_invitations (id, org_id, role, lookup, created_by, expires_at)
         VALUES (gen_random_uuid(), $1, 'owner', $2, $3, now() + interval '1 day')`,
        [orgId, Buffer.from(name), `user:${user.id}`],
      );
      const dropped: string[] = [];
      const drop = services.facts.drop.bind(services.facts);
      services.facts.drop = (subjects) => drop(subjects).then(() => void dropped.push(...subjects));
      await deletions.delete(user, ACTOR, keepingRepositories(services));
      services.facts.drop = drop;
      expect(dropped).toEqual([`user:${user.id}`, `repo:${repository.path}`]);
      for (const table of ['org_members', 'team_members', 'repo_grants', 'api_keys', 'refresh_tokens']) {
        expect(await query(`SELECT FROM ${table} WHERE user_id = $1`, [user.id])).toEqual([]);
      }
      expect(await query('SELECT FROM org_invitations WHERE org_id = $1', [orgId])).toEqual([]);
      const [row] = await query('SELECT * FROM users WHERE id = $1', [user.id]);
      expect(row).toMatchObject({ email: null, password_hash: null, deleted_at: expect.any(Date) });
      expect(await accounts.find(name)).toBeNull();
      await expect(create()).rejects.toMatchObject({ condition: 'nameTaken' });
      await expect(deletions.delete(user, ACTOR, keepingRepositories(services))).rejects.toMatchObject({
        condition: 'notFound',
      });
    });

    it('not while they are the last owner of an organization, nor while their namespace has repositories', async () => {
      const user = await create();
      const orgId = await newOrganization(user.id);
      await expect(deletions.delete(user, ACTOR, keepingRepositories(services))).rejects.toMatchObject({
        condition: 'conflict',
        detail: `the last owner of org-${count}`,
      });
      await join(orgId, (await create(`${name}-too`)).id, 'owner');
      const { query } = services.database;
      await query(
        `INSERT INTO repos (namespace_id, name, path, visibility, listed_at) VALUES ($1, 'app', $2, 'private', now())`,
        [user.namespaceId, `${name}/app`],
      );
      await expect(deletions.delete(user, ACTOR, keepingRepositories(services))).rejects.toMatchObject({
        condition: 'conflict',
      });
      await query('UPDATE repos SET deleted_at = now() WHERE path = $1', [`${name}/app`]);
      await deletions.delete(user, ACTOR, keepingRepositories(services));
    });

    it('also while they are the last owner of what others made them an owner of, unasked', async () => {
      const user = await create();
      await join(await newOrganization((await create(`${name}-first`)).id), user.id, 'member', false);
      const orgId = await newOrganization(user.id);
      await services.database.query('UPDATE org_members SET consented = false WHERE org_id = $1', [orgId]);
      await deletions.delete(user, ACTOR, keepingRepositories(services));
    });

    it('however many grants others gave them', async () => {
      const user = await create();
      await services.database.query(
        `WITH r AS (
           INSERT INTO repos (namespace_id, name, path, visibility)
           SELECT id, 'many-' || i, 'acme/many-' || i, 'private' FROM namespaces, generate_series(1, 20001) i
           WHERE namespaces.name = 'acme' RETURNING id, path
         ) INSERT INTO repo_grants (repo_id, path, user_id, role) SELECT id, path, $1, 'read' FROM r`,
        [user.id],
      );
      await deletions.delete(user, ACTOR, keepingRepositories(services));
      expect(await services.database.query('SELECT FROM repo_grants WHERE user_id = $1', [user.id])).toEqual([]);
    }, 30_000);

    it('an owner who was deleted is none', async () => {
      const [first, second] = [await create(`${name}-a`), await create(`${name}-b`)];
      const orgId = await newOrganization(first.id);
      await join(orgId, second.id, 'owner');
      await services.database.query('UPDATE users SET deleted_at = now() WHERE id = $1', [second.id]);
      await expect(deletions.delete(first, ACTOR, keepingRepositories(services))).rejects.toMatchObject({
        condition: 'conflict',
      });
    });

    it('one of two last owners who leave at once, however often', async () => {
      for (let round = 0; round < 10; round++) {
        const pair = [await create(`${name}-a${round}`), await create(`${name}-b${round}`)];
        const [first, second] = pair;
        if (!first || !second) throw new Error('two were made');
        const orgId = await newOrganization(first.id);
        await join(orgId, second.id, 'owner');
        const outcomes = await Promise.allSettled(
          pair.map((user) => deletions.delete(user, ACTOR, keepingRepositories(services))),
        );
        expect(outcomes.map(reasonOf).sort()).toEqual(['', 'conflict']);
      }
    });

    it('not while somebody is making them the only owner of something', async () => {
      const user = await create();
      const orgId = await newOrganization((await create(`${name}-first`)).id);
      let deleted: Promise<unknown> = Promise.resolve();
      await services.unitOfWork.run(async (tx) => {
        await tx.query('SELECT id FROM orgs WHERE id = $1 FOR UPDATE', [orgId]);
        await tx.query('DELETE FROM org_members WHERE org_id = $1', [orgId]);
        await tx.query(`INSERT INTO org_members (org_id, user_id, role, consented) VALUES ($1, $2, 'owner', true)`, [
          orgId,
          user.id,
        ]);
        deleted = deletions.delete(user, ACTOR, keepingRepositories(services)).catch((error: unknown) => error);
        await untilOneWaits();
      });
      expect(await deleted).toMatchObject({ condition: 'conflict' });
    });

    async function untilOneWaits(): Promise<void> {
      const WAITING = 'SELECT FROM pg_locks WHERE NOT granted';
      while ((await services.database.query(WAITING)).length === 0)
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
});

function reasonOf(outcome: PromiseSettledResult<unknown>): unknown {
  return outcome.status === 'fulfilled' ? '' : (outcome.reason as { condition?: string }).condition;
}
