import { describe, expect, it } from '@jest/globals';
import { Limiters } from '../../cache/limiters.js';
import { RATE_LIMITED } from '../../http/limit-counts.js';
import { LoginThrottle, MAX_FAILURES, MAX_FAILURES_OF_ACCOUNT, MAX_FAILURES_OF_ADDRESS } from './login-throttle.js';
import { Refusal } from './refusal.js';

async function failures(throttle: LoginThrottle, username: string, address: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await throttle.begin(username, address);
}

describe('LoginThrottle', () => {
  it('makes an account wait at an address after too many failures, and says how long', async () => {
    const throttle = new LoginThrottle(new Limiters(null));
    await failures(throttle, 'alice', '192.0.2.1', MAX_FAILURES);
    const counted = RATE_LIMITED.of('login');
    const refusal = await throttle.begin('alice', '192.0.2.1').catch((error: unknown) => error);
    expect(RATE_LIMITED.of('login')).toBe(counted + 1);
    expect(refusal).toBeInstanceOf(Refusal);
    expect(refusal).toMatchObject({ reason: 'tooManyAttempts', exhausted: { secondsToWait: expect.any(Number) } });
  });

  it('locks nobody out elsewhere, nor anybody else there', async () => {
    const throttle = new LoginThrottle(new Limiters(null));
    await failures(throttle, 'alice', '192.0.2.1', MAX_FAILURES);
    await expect(throttle.begin('alice', '192.0.2.2')).resolves.toBeUndefined();
    await expect(throttle.begin('bob', '192.0.2.1')).resolves.toBeUndefined();
  });

  it('counts attempts at once before any has ended', async () => {
    const throttle = new LoginThrottle(new Limiters(null));
    const attempts = Array.from({ length: MAX_FAILURES + 5 }, () => throttle.begin('alice', '192.0.2.1'));
    const refused = (await Promise.allSettled(attempts)).filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(5);
  });

  it('forgets the failures after a success', async () => {
    const throttle = new LoginThrottle(new Limiters(null));
    await failures(throttle, 'alice', '192.0.2.1', MAX_FAILURES);
    await throttle.succeed('alice', '192.0.2.1');
    await expect(failures(throttle, 'alice', '192.0.2.1', MAX_FAILURES)).resolves.toBeUndefined();
  });

  it.each([
    ['an IPv6 network', '2001:db8:1:2::1', '2001:db8:1:2:ffff::9'],
    ['IPv4 inside IPv6', '192.0.2.1', '::ffff:192.0.2.1'],
  ])('takes %s for one client', async (_what, one, other) => {
    const throttle = new LoginThrottle(new Limiters(null));
    await failures(throttle, 'alice', one, MAX_FAILURES);
    await expect(throttle.begin('alice', other)).rejects.toThrow(Refusal);
    await expect(throttle.begin('alice', '2001:db8:1:3::1')).resolves.toBeUndefined();
  });

  it('takes all names that nobody can have for one', async () => {
    const throttle = new LoginThrottle(new Limiters(null));
    for (let i = 0; i < MAX_FAILURES; i++) await throttle.begin(`Not A Name ${i}`, '192.0.2.1');
    await expect(throttle.begin('Another', '192.0.2.1')).rejects.toThrow(Refusal);
  });

  it('counts a bounded number of pairs, and forgets the one that was quiet for longest', async () => {
    const throttle = new LoginThrottle(new Limiters(null), 2);
    await failures(throttle, 'alice', '192.0.2.1', MAX_FAILURES);
    await failures(throttle, 'bob', '192.0.2.1', MAX_FAILURES);
    await expect(throttle.begin('alice', '192.0.2.1')).rejects.toThrow(Refusal);
    await throttle.begin('carol', '192.0.2.1');
    await expect(throttle.begin('alice', '192.0.2.1')).rejects.toThrow(Refusal);
    await expect(throttle.begin('bob', '192.0.2.1')).resolves.toBeUndefined();
  });

  describe('of an account', () => {
    const guessFromMany = async (throttle: LoginThrottle, username: string): Promise<void> => {
      for (let i = 0; i < MAX_FAILURES_OF_ACCOUNT; i++) await throttle.begin(username, `198.51.100.${i}`);
    };

    it('makes guesses from many addresses wait, and no other account', async () => {
      const throttle = new LoginThrottle(new Limiters(null));
      await guessFromMany(throttle, 'alice');
      const refusal = await throttle.begin('alice', '192.0.2.1').catch((error: unknown) => error);
      expect(refusal).toMatchObject({ reason: 'tooManyAttempts', exhausted: { name: 'login-account' } });
      await expect(throttle.begin('bob', '192.0.2.1')).resolves.toBeUndefined();
    });

    it('leaves it open from where its owner has logged in', async () => {
      const throttle = new LoginThrottle(new Limiters(null));
      await throttle.begin('alice', '192.0.2.1');
      await throttle.succeed('alice', '192.0.2.1');
      await guessFromMany(throttle, 'alice');
      await expect(throttle.begin('alice', '192.0.2.1')).resolves.toBeUndefined();
      await expect(throttle.begin('alice', '192.0.2.2')).rejects.toThrow(Refusal);
    });
  });

  describe('of an address', () => {
    const guessAtMany = async (throttle: LoginThrottle, address: string): Promise<void> => {
      for (let i = 0; i < MAX_FAILURES_OF_ADDRESS; i++) await throttle.begin(`name-${i}`, address);
    };

    it.each([
      ['192.0.2.1', '192.0.2.1', '192.0.2.2'],
      ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:3::1'],
    ])('makes whoever tries another name each time wait there, and nobody elsewhere', async (one, same, other) => {
      const throttle = new LoginThrottle(new Limiters(null));
      await guessAtMany(throttle, one);
      const refusal = await throttle.begin('alice', same).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ reason: 'tooManyAttempts', exhausted: { secondsToWait: expect.any(Number) } });
      await expect(throttle.begin('alice', other)).resolves.toBeUndefined();
    });

    it('lets any number of users behind one address log in', async () => {
      const throttle = new LoginThrottle(new Limiters(null));
      for (let i = 0; i < 3 * MAX_FAILURES_OF_ADDRESS; i++) {
        await throttle.begin(`name-${i}`, '192.0.2.1');
        await throttle.succeed(`name-${i}`, '192.0.2.1');
      }
      await expect(throttle.begin('alice', '192.0.2.1')).resolves.toBeUndefined();
    });

    it('takes back one attempt for one success, so a good account there buys no guesses', async () => {
      const throttle = new LoginThrottle(new Limiters(null));
      for (let i = 0; i < MAX_FAILURES_OF_ADDRESS - 1; i++) await throttle.begin(`name-${i}`, '192.0.2.1');
      await throttle.begin('mallory', '192.0.2.1');
      await throttle.succeed('mallory', '192.0.2.1');
      await throttle.begin('one-more', '192.0.2.1');
      await expect(throttle.begin('alice', '192.0.2.1')).rejects.toThrow(Refusal);
    });

    it('counts nothing that the account was refused for already', async () => {
      const throttle = new LoginThrottle(new Limiters(null));
      for (let i = 0; i < 2 * MAX_FAILURES_OF_ADDRESS; i++) {
        await throttle.begin('alice', '192.0.2.1').catch(() => undefined);
      }
      await expect(throttle.begin('bob', '192.0.2.1')).resolves.toBeUndefined();
    });
  });
});
