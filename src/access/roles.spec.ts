import { describe, expect, it } from '@jest/globals';
import { ORG_ROLES, outranks, ROLE_ACTIONS, ROLES, strongest } from './roles.js';

describe('roles', () => {
  it('each has every action of the one before it', () => {
    for (const [index, role] of ROLES.entries()) {
      const before = ROLES[index - 1];
      const actions: readonly string[] = ROLE_ACTIONS[role];
      expect(actions).toEqual(expect.arrayContaining([...(before === undefined ? [] : ROLE_ACTIONS[before])]));
    }
  });

  it.each([
    [[], null],
    [[null], null],
    [['read', null], 'read'],
    [['write', 'read'], 'write'],
    [['read', 'admin', 'write'], 'admin'],
  ] as const)('of %j the strongest is %s', (roles, expected) => {
    expect(strongest(roles)).toBe(expected);
  });

  it('in an organization are ranked from owner to none', () => {
    const others = [...ORG_ROLES, null];
    expect(ORG_ROLES.map((role) => others.map((other) => outranks(role, other)))).toEqual([
      [false, true, true, true],
      [false, false, true, true],
      [false, false, false, true],
    ]);
  });
});
