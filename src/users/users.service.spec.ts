import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { contentServices, type ContentServices } from '../../test/support/content-services.js';
import { PasswordHasher } from './password-hasher.js';
import { User } from './user.entity.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

let count = 0;

describe('UsersService', () => {
  let services: ContentServices;
  let users: UsersService;
  let name: string;

  beforeAll(async () => {
    services = await contentServices();
    const repository = new UsersRepository(services.repository(User));
    users = new UsersService(repository, new PasswordHasher(), services.drops, services.unitOfWork);
  }, 60_000);

  beforeEach(() => {
    name = `user-${++count}`;
  });

  const opens = async (password: string): Promise<boolean> => (await users.provePassword(name, password)) !== null;

  it('makes a user with the namespace of the same name', async () => {
    const { id, namespaceId, passwordHash } = await users.create({ username: name, password: 'a password' });
    const rows = await services.database.query('SELECT name, kind FROM namespaces WHERE id = $1', [namespaceId]);
    expect(rows).toEqual([{ name, kind: 'user' }]);
    expect(passwordHash).toMatch(/^\$argon2id\$/);
    expect(await users.loadFact(id)).toEqual({
      account: { kind: 'user', id, username: name, admin: false, namespaceId },
      credentialsVersion: 1,
      disabled: false,
    });
  });

  it('gives a name once, however many ask for it at once', async () => {
    const draft = { username: name, password: 'a password' };
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => users.create(draft)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(users.create(draft)).rejects.toMatchObject({ condition: 'nameTaken' });
  });

  it('refuses the name of an organization, and one that is reserved', async () => {
    await expect(users.create({ username: 'acme', password: 'a password' })).rejects.toMatchObject({
      condition: 'nameTaken',
    });
    await expect(users.create({ username: 'robot-x', password: 'a password' })).rejects.toMatchObject({
      condition: 'impossible',
    });
  });

  it('proves a password, and nothing for an unknown user or another password', async () => {
    const { id } = await users.create({ username: name, password: 'a password' });
    expect(await users.provePassword(name, 'a password')).toEqual({ userId: id, credentialsVersion: 1 });
    expect(await users.provePassword(name, 'another')).toBeNull();
    expect(await users.provePassword(`${name}x`, 'a password')).toBeNull();
    expect(await users.provePassword(`${name}\0`, 'a password')).toBeNull();
  });

  it('voids what was issued before when the password changes, and tells the cache', async () => {
    const { id } = await users.create({ username: name, password: 'a password' });
    const drop = jest.spyOn(services.facts, 'drop');
    await users.setPassword(id, 'another one');
    expect(drop).toHaveBeenCalledWith([`user:${id}`]);
    expect(await users.loadFact(id)).toMatchObject({ credentialsVersion: 2 });
    expect([await opens('a password'), await opens('another one')]).toEqual([false, true]);
  });

  it('disables and enables a user, and knows nobody who was deleted', async () => {
    const { id } = await users.create({ username: name, password: 'a password' });
    await users.setDisabled(id, true);
    expect(await users.loadFact(id)).toMatchObject({ disabled: true });
    await users.setDisabled(id, false);
    expect(await users.loadFact(id)).toMatchObject({ disabled: false });
    await services.database.query('UPDATE users SET deleted_at = now() WHERE id = $1', [id]);
    expect(await users.loadFact(id)).toBeNull();
    expect(await opens('a password')).toBe(false);
  });

  describe('ensures an administrator', () => {
    it('once, of all nodes that start at the same time', async () => {
      const starts = Array.from({ length: 5 }, () => users.ensureAdministrator(name, 'a password', true));
      expect((await Promise.all(starts)).filter(Boolean)).toHaveLength(1);
      expect(await users.findByName(name)).toMatchObject({ admin: true, credentialsVersion: 1 });
      expect(await opens('a password')).toBe(true);
    });

    it('who keeps a password that somebody chose, unless the configuration enforces its own', async () => {
      await users.ensureAdministrator(name, 'generated one');
      expect(await users.ensureAdministrator(name, 'another one')).toBe(false);
      expect(await opens('generated one')).toBe(true);
      expect(await users.ensureAdministrator(name, 'another one', true)).toBe(false);
      expect([await opens('generated one'), await opens('another one')]).toEqual([false, true]);
    });

    it('whose sessions go on when the password is right already', async () => {
      await users.ensureAdministrator(name, 'a password', true);
      await users.ensureAdministrator(name, 'a password', true);
      expect(await users.findByName(name)).toMatchObject({ credentialsVersion: 1 });
    });

    it('of a user who was none', async () => {
      const { id } = await users.create({ username: name, password: 'a password' });
      await users.ensureAdministrator(name, 'another one');
      expect(await users.loadFact(id)).toMatchObject({ account: { admin: true } });
    });

    it('never of an organization', async () => {
      await expect(users.ensureAdministrator('acme', 'a password')).rejects.toThrow('set ADMIN_USERNAME');
    });
  });
});
