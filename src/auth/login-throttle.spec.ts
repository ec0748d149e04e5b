import { describe, expect, it } from '@jest/globals';
import { LoginThrottle, MAX_FAILURES } from './login-throttle.js';
import { Refusal } from './refusal.js';

async function failures(throttle: LoginThrottle, username: string, address: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await throttle.begin(username, address);
}

describe('LoginThrottle', () => {
  it('makes an account wait at an address after too many failures, and says how long', async () => {
    const throttle = new LoginThrottle();
    await failures(throttle, 'alice', '192.0.2.1', MAX_FAILURES);
    const refusal = await throttle.begin('alice', '192.0.2.1').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refusal);
    expect(refusal).toMatchObject({ reason: 'tooManyAttempts', retryAfterSeconds: expect.any(Number) });
  });

  it('locks nobody out elsewhere, nor anybody else there', async () => {
    const throttle = new LoginThrottle();
    await failures(throttle, 'alice', '192.0.2.1', MAX_FAILURES);
    await expect(throttle.begin('alice', '192.0.2.2')).resolves.toBeUndefined();
    await expect(throttle.begin('bob', '192.0.2.1')).resolves.toBeUndefined();
  });

  it('counts attempts at once before any has ended', async () => {
    const throttle = new LoginThrottle();
    const attempts = Array.from({ length: MAX_FAILURES + 5 }, () => throttle.begin('alice', '192.0.2.1'));
    const refused = (await Promise.allSettled(attempts)).filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(5);
  });

  it('forgets the failures after a success', async () => {
    const throttle = new LoginThrottle();
    await failures(throttle, 'alice', '192.0.2.1', MAX_FAILURES);
    throttle.succeed('alice', '192.0.2.1');
    await expect(failures(throttle, 'alice', '192.0.2.1', MAX_FAILURES)).resolves.toBeUndefined();
  });

  it.each([
    ['an IPv6 network', '2001:db8:1:2::1', '2001:db8:1:2:ffff::9'],
    ['IPv4 inside IPv6', '192.0.2.1', '::ffff:192.0.2.1'],
  ])('takes %s for one client', async (_what, one, other) => {
    const throttle = new LoginThrottle();
    await failures(throttle, 'alice', one, MAX_FAILURES);
    await expect(throttle.begin('alice', other)).rejects.toThrow(Refusal);
    await expect(throttle.begin('alice', '2001:db8:1:3::1')).resolves.toBeUndefined();
  });

  it('takes all names that nobody can have for one', async () => {
    const throttle = new LoginThrottle();
    for (let i = 0; i < MAX_FAILURES; i++) await throttle.begin(`Not A Name ${i}`, '192.0.2.1');
    await expect(throttle.begin('Another', '192.0.2.1')).rejects.toThrow(Refusal);
  });

  it('counts a bounded number of pairs, and forgets the one that was quiet for longest', async () => {
    const throttle = new LoginThrottle(2);
    await failures(throttle, 'alice', '192.0.2.1', MAX_FAILURES);
    await failures(throttle, 'bob', '192.0.2.1', MAX_FAILURES);
    await expect(throttle.begin('alice', '192.0.2.1')).rejects.toThrow(Refusal);
    await throttle.begin('carol', '192.0.2.1');
    await expect(throttle.begin('alice', '192.0.2.1')).rejects.toThrow(Refusal);
    await expect(throttle.begin('bob', '192.0.2.1')).resolves.toBeUndefined();
  });
});
