import { describe, expect, it } from '@jest/globals';
import { isAccountName, isReservedName } from './account-name.js';

describe('names of accounts', () => {
  it.each(['ab', 'acme', 'a-b', 'a.b_c', '0x', 'a'.repeat(39)])('accepts %s', (name) => {
    expect(isAccountName(name)).toBe(true);
  });

  it.each(['', 'a', 'a'.repeat(40), 'Acme', '-a', 'a-', 'a--b', 'a__b', 'a/b', 'ä1', 'a b', 'ab\n'])(
    'refuses %j',
    (name) => {
      expect(isAccountName(name)).toBe(false);
    },
  );

  it.each(['robot-ci', 'robot', 'anonymous', 'v2'])('keeps %s for itself', (name) => {
    expect(isReservedName(name)).toBe(true);
  });

  it.each(['library', 'admin', 'robots', 'robotics'])('does not keep %s from everybody', (name) => {
    expect(isReservedName(name)).toBe(false);
  });
});
