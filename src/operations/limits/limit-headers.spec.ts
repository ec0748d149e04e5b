import { describe, expect, it } from '@jest/globals';
import { exhaustedText } from './limit-headers.js';

describe('what a 429 says', () => {
  it('is why, and until when', () => {
    const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
    const exhausted = { name: 'login', points: 10, windowSeconds: 300, secondsToWait: 61 };
    expect(exhaustedText(exhausted, now)).toBe(
      '10 wrong passwords for this account from this address in 300 s are the limit, try again in 61 s, at 2026-01-02T03:05:06Z',
    );
    expect(exhaustedText({ ...exhausted, name: 'new' }, now)).toMatch(/^10 requests in 300 s are the limit/);
  });
});
