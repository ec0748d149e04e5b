import { describe, expect, it } from '@jest/globals';
import { isKeyText, looksLikeKey, newKeyText } from './api-key-text.js';

describe('the text of an API key', () => {
  it.each([
    ['user', /^aerugo_pat_[0-9A-Za-z]{38}$/],
    ['robot', /^aerugo_bot_[0-9A-Za-z]{38}$/],
  ] as const)('of a %s has a prefix, randomness and a checksum', (kind, form) => {
    const texts = Array.from({ length: 50 }, () => newKeyText(kind));
    expect(new Set(texts).size).toBe(50);
    for (const text of texts) {
      expect(text).toMatch(form);
      expect(isKeyText(text)).toBe(true);
      expect(looksLikeKey(text)).toBe(true);
    }
  });

  it('is refused with any character changed', () => {
    const text = newKeyText('user');
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === 'x' ? 'y' : 'x';
      expect(isKeyText(`${text.slice(0, at)}${other}${text.slice(at + 1)}`)).toBe(false);
    }
    expect(isKeyText(text.replace('_pat_', '_bot_'))).toBe(false);
  });

  it.each(['', 'aerugo_pat_', 'a password', `${newKeyText('user')}x`, 'aerugo_rt_abc'])('is not %j', (text) => {
    expect(isKeyText(text)).toBe(false);
  });
});
