import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { UserFact, UsersService } from '../users/users.service.js';
import type { PrincipalState, PrincipalStateService } from './principal-state.service.js';
import { Limiters } from '../../cache/limiters.js';
import { LoginThrottle, MAX_FAILURES } from './login-throttle.js';
import { PasswordLoginService } from './password-login.service.js';

const HERE = '192.0.2.1';

/** One user whose row a test changes, behind the two services that the login asks. */
class Alice {
  password = 'secret';
  fact: UserFact | null = {
    account: { kind: 'user', id: 7, username: 'alice', admin: false, namespaceId: 1 },
    credentialsVersion: 1,
    disabled: false,
  };

  get live(): PrincipalState | null {
    if (!this.fact) return null;
    const { account, ...rest } = this.fact;
    return {
      ...rest,
      principal: { ...account, memberships: [], teams: [] },
      expiresAt: null,
      revoked: [],
      issuedAfter: null,
    };
  }

  /** Stands for argon2id. */
  readonly provePassword = jest.fn(async (username: string, password: string) => {
    const { fact } = this;
    await Promise.resolve();
    const matches = username === 'alice' && password === this.password && fact !== null;
    return matches ? { userId: 7, credentialsVersion: fact.credentialsVersion } : null;
  });

  changePassword(password: string): void {
    this.password = password;
    this.change({ credentialsVersion: 2 });
  }

  change(change: Partial<UserFact>): void {
    if (this.fact) this.fact = { ...this.fact, ...change };
  }
}

describe('PasswordLoginService', () => {
  let alice: Alice;
  let logins: PasswordLoginService;

  beforeEach(() => {
    alice = new Alice();
    const users: Pick<UsersService, 'provePassword'> = alice;
    const live: Pick<PrincipalStateService, 'request' | 'read'> = {
      request: () => ({ subject: 'user:7', name: 'live', load: () => Promise.resolve(null) }),
      read: () => alice.live,
    };
    logins = new PasswordLoginService(
      users as UsersService,
      live as PrincipalStateService,
      new LoginThrottle(new Limiters(null)),
    );
  });

  const login = (password = 'secret', address = HERE): Promise<unknown> => logins.login('alice', password, address);

  it('looks at a password once, however often it comes', async () => {
    await login();
    for (let i = 0; i < 50; i++) await login('secret', `192.0.2.${i}`);
    expect(alice.provePassword).toHaveBeenCalledTimes(1);
  });

  it('looks once at one password that comes ten times at once', async () => {
    await Promise.all(Array.from({ length: 10 }, () => login()));
    expect(alice.provePassword).toHaveBeenCalledTimes(1);
  });

  it('looks at a wrong password each time', async () => {
    await expect(login('wrong')).rejects.toThrow('credentialsWrong');
    await expect(login('wrong')).rejects.toThrow('credentialsWrong');
    expect(alice.provePassword).toHaveBeenCalledTimes(2);
  });

  it('takes a user name and a password together, not where one ends', async () => {
    await login();
    await expect(logins.login('alices', 'ecret', HERE)).rejects.toThrow('credentialsWrong');
  });

  it('forgets a password at once when it changes', async () => {
    await login();
    alice.changePassword('another');
    await expect(login('secret')).rejects.toThrow('credentialsWrong');
    await expect(login('another')).resolves.toMatchObject({ userId: 7, credentialsVersion: 2 });
  });

  it('refuses a disabled user at once, with the right password too', async () => {
    await login();
    alice.change({ disabled: true });
    await expect(login()).rejects.toThrow('credentialsWrong');
    alice.change({ disabled: false });
    await expect(login()).resolves.toMatchObject({ userId: 7 });
  });

  it('refuses a password that changes while it is looked at', async () => {
    const pending = login();
    alice.changePassword('another');
    await expect(pending).rejects.toThrow('credentialsWrong');
  });

  it('throttles guessing, but not a password that it remembers', async () => {
    await login();
    for (let i = 0; i < MAX_FAILURES; i++) await expect(login(`guess ${i}`)).rejects.toThrow('credentialsWrong');
    await expect(login('one more')).rejects.toThrow('tooManyAttempts');
    await expect(login('one more', '198.51.100.1')).rejects.toThrow('credentialsWrong');
    await expect(login()).resolves.toMatchObject({ userId: 7 });
  });

  it('does not take a right password of a disabled user for a success', async () => {
    alice.change({ disabled: true });
    for (let i = 0; i < MAX_FAILURES; i++) await expect(login()).rejects.toThrow('credentialsWrong');
    await expect(login()).rejects.toThrow('tooManyAttempts');
  });
});
