import { describe, expect, it } from '@jest/globals';
import { PasswordHasher } from './password-hasher.js';

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

  it('refuses every password of a user without one', async () => {
    expect(await hasher.verify(null, '')).toBe(false);
    expect(await hasher.verify(null, 'password')).toBe(false);
  });

  it('lets many wait, and tells the one too many to come again', async () => {
    const results = await Promise.allSettled(Array.from({ length: 131 }, () => hasher.verify(null, 'x')));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(130);
    expect(results.at(-1)).toMatchObject({ status: 'rejected', reason: { status: 503 } });
    expect(await hasher.verify(null, 'x')).toBe(false);
  });
});
