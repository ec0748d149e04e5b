import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { contentServices, type ContentServices } from '../../../test/support/content-services.js';
import { ACTOR } from '../../../test/support/manifest-rows.js';
import { PasswordHasher } from './password-hasher.js';
import { User } from './user.entity.js';
import { type UserRecord, UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

let count = 0;

describe('UsersService', () => {
  let services: ContentServices;
  let repository: UsersRepository;
  let users: UsersService;
  let name: string;

  beforeAll(async () => {
    services = await contentServices();
    repository = new UsersRepository(services.repository(User));
    users = new UsersService(repository, new PasswordHasher(), services.events, services.drops, services.unitOfWork);
  }, 60_000);

  beforeEach(() => {
    name = `user-${++count}`;
  });

  async function newUser(password: string): Promise<UserRecord> {
    const passwordHash = await users.hashPassword(password);
    const row = { username: name, passwordHash, email: null, displayName: null, admin: false };
    const user = await services.unitOfWork.run((tx) => repository.insert(tx, row));
    if (!user) throw new Error(`${name} is taken`);
    return user;
  }

  const opens = async (password: string): Promise<boolean> => (await users.provePassword(name, password)) !== null;

  it('says who a user is, and knows nobody who was deleted', async () => {
    const { id, namespaceId } = await newUser('a password');
    expect(await users.loadFact(id)).toEqual({
      account: { kind: 'user', id, username: name, admin: false, namespaceId },
      credentialsVersion: 1,
      disabled: false,
    });
    await services.database.query('UPDATE users SET deleted_at = now() WHERE id = $1', [id]);
    expect(await users.loadFact(id)).toBeNull();
    expect(await opens('a password')).toBe(false);
  });

  it('proves a password, and nothing for an unknown user or another password', async () => {
    const { id } = await newUser('a password');
    expect(await users.provePassword(name, 'a password')).toEqual({ userId: id, credentialsVersion: 1 });
    expect(await users.provePassword(name, 'another')).toBeNull();
    expect(await users.provePassword(`${name}x`, 'a password')).toBeNull();
    expect(await users.provePassword(`${name}\0`, 'a password')).toBeNull();
  });

  it('voids what was issued before when the password changes, and tells the cache', async () => {
    const user = await newUser('a password');
    const { id } = user;
    const drop = jest.spyOn(services.facts, 'drop');
    const change = { credentialsVersion: 1, passwordHash: await users.hashPassword('another one') };
    expect(await services.unitOfWork.run((tx) => users.changePassword(tx, user, change, ACTOR))).toBe(2);
    expect(drop).toHaveBeenCalledWith([`user:${id}`]);
    expect(await users.loadFact(id)).toMatchObject({ credentialsVersion: 2 });
    expect([await opens('a password'), await opens('another one')]).toEqual([false, true]);
  });

  it('lets one of two change a password that both have proved', async () => {
    const user = await newUser('a password');
    const change = { credentialsVersion: 1, passwordHash: await users.hashPassword('another one') };
    const both = [1, 2].map(() => services.unitOfWork.run((tx) => users.changePassword(tx, user, change, ACTOR)));
    expect((await Promise.all(both)).sort()).toEqual([2, null]);
  });

  describe('ensures an administrator', () => {
    const version = async (): Promise<unknown> => (await repository.findPassword(name))?.credentialsVersion;

    it('once, of all nodes that start at the same time', async () => {
      const starts = Array.from({ length: 5 }, () => users.ensureAdministrator(name, 'a password', true));
      expect((await Promise.all(starts)).filter(Boolean)).toHaveLength(1);
      expect(await repository.findByName(name)).toMatchObject({ admin: true });
      expect(await version()).toBe(1);
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
      expect(await version()).toBe(1);
    });

    it('never of an account that somebody else has made, also with the right password', async () => {
      const { id } = await newUser('a password');
      await expect(users.ensureAdministrator(name, 'a password', true)).rejects.toThrow(
        'was not made by the configuration',
      );
      expect(await users.loadFact(id)).toMatchObject({ account: { admin: false }, credentialsVersion: 1 });
    });

    it('again of the account that it has made, and of one that was an administrator when it was named', async () => {
      const isAdministrator = async (id: number): Promise<unknown> => (await users.loadFact(id))?.account.admin;
      const demote = (id: number) => services.unitOfWork.run((tx) => repository.update(tx, id, { admin: false }, null));
      await users.ensureAdministrator(name, 'a password');
      const made = (await repository.findByName(name))?.id ?? 0;
      name = `${name}-b`;
      const { id: named } = await newUser('a password');
      await services.unitOfWork.run((tx) => repository.update(tx, named, { admin: true }, null));
      await users.ensureAdministrator(name, 'a password');
      for (const id of [made, named]) {
        await demote(id);
        await users.ensureAdministrator(id === made ? name.slice(0, -2) : name, 'a password');
        expect(await isAdministrator(id)).toBe(true);
      }
    });

    it('never of an organization', async () => {
      await expect(users.ensureAdministrator('acme', 'a password')).rejects.toThrow('set ADMIN_USERNAME');
    });
  });
});
