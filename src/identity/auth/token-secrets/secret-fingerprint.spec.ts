import { describe, expect, it } from '@jest/globals';
import { secretFingerprint } from './secret-fingerprint.js';

const SECRETS = Array.from({ length: 8 }, (_, at) => `${'k7'.repeat(16)}-${at}`);

describe('the fingerprint of a secret', () => {
  it('has 16 bits, the same each time and others for another secret', async () => {
    const first = await Promise.all(SECRETS.map(secretFingerprint));
    expect(await Promise.all(SECRETS.map(secretFingerprint))).toEqual(first);
    expect(new Set(first).size).toBe(SECRETS.length);
    expect(first.every((each) => Number.isInteger(each) && each >= 0 && each <= 0xffff)).toBe(true);
  });

  it('is the same in every version: nodes of two versions compare theirs', async () => {
    expect(await secretFingerprint('0123456789abcdef0123456789abcdef')).toBe(22_029);
  });
});
