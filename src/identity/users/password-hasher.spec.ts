import { describe, expect, it } from '@jest/globals';
import { normalisePassword, PasswordHasher } from './password-hasher.js';

describe('PasswordHasher', () => {
  const hasher = new PasswordHasher();

  it('accepts the password that was hashed and no other', async () => {
    const hash = await hasher.hash('correct horse');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await hasher.verify(hash, 'correct horse')).toBe(true);
    expect(await hasher.verify(hash, 'correct horsE')).toBe(false);
  });

  it('takes one password for the same, however its characters were composed', async () => {
    const hash = await hasher.hash('Ame\u0301lie-\ufb01ve'); // e + combining accent, the ligature fi
    expect(await hasher.verify(hash, 'Am\u00e9lie-five')).toBe(true);
  });

  it('neither keeps nor accepts nor normalises what is too long to be a password', async () => {
    expect(normalisePassword('e\u0301'.repeat(512))).toHaveLength(512);
    expect(normalisePassword('\u0301\u0316'.repeat(500_000))).toBe('');
    await expect(hasher.hash('x'.repeat(1025))).rejects.toThrow(RangeError);
    expect(await hasher.verify(await hasher.hash(''), 'x'.repeat(1025))).toBe(false);
  });

  it('refuses every password of a user without one', async () => {
    expect(await hasher.verify(null, '')).toBe(false);
    expect(await hasher.verify(null, 'password')).toBe(false);
  });

  it('takes as long for a user without one, so that the time tells nobody who exists', async () => {
    const hash = await hasher.hash('password');
    // Of all threads of this process, argon2id's too: what others have of the processor does not count.
    const took = async (known: string | null): Promise<number> => {
      const before = process.cpuUsage();
      await hasher.verify(known, 'another');
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    const times: { known: number[]; unknown: number[] } = { known: [], unknown: [] };
    for (let round = 0; round < 9; round += 1) {
      times.known.push(await took(hash));
      times.unknown.push(await took(null));
    }
    const [known = 0, unknown = 0] = [times.known, times.unknown].map((all) => all.sort((a, b) => a - b)[4]);
    // Without the work it would be a thousandth.
    expect(unknown / known).toBeGreaterThan(0.5);
    expect(unknown / known).toBeLessThan(2);
  });

  it('lets many wait, and tells the one too many to come again', async () => {
    const results = await Promise.allSettled(Array.from({ length: 131 }, () => hasher.verify(null, 'x')));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(130);
    expect(results.at(-1)).toMatchObject({ status: 'rejected', reason: { status: 503 } });
    expect(await hasher.verify(null, 'x')).toBe(false);
  }, 120_000); // about four seconds of two processors, however many others want them
});
