import { describe, expect, it } from '@jest/globals';
import { mayChangeMembership, unmakesOwner } from './membership-policy.js';
import type { OrgRole } from './roles.js';

type Part = OrgRole | null;

describe('who may change a membership', () => {
  const TABLE: readonly (readonly [string, before: Part, after: Part, ...boolean[]])[] = [
    //                                                   null   member admin  owner
    ['adds a member', null, 'member', false, false, true, true],
    ['adds an admin', null, 'admin', false, false, true, true],
    ['adds an owner', null, 'owner', false, false, false, true],
    ['makes a member an admin', 'member', 'admin', false, false, true, true],
    ['makes an admin a member', 'admin', 'member', false, false, true, true],
    ['makes a member an owner', 'member', 'owner', false, false, false, true],
    ['makes an admin an owner', 'admin', 'owner', false, false, false, true],
    ['makes an owner an admin', 'owner', 'admin', false, false, false, true],
    ['makes an owner a member', 'owner', 'member', false, false, false, true],
    ['leaves an owner what they are', 'owner', 'owner', false, false, false, true],
    ['removes a member', 'member', null, false, false, true, true],
    ['removes an admin', 'admin', null, false, false, true, true],
    ['removes an owner', 'owner', null, false, false, false, true],
  ];

  it.each(TABLE)('%s', (_change, before, after, ...expected) => {
    const callers: Part[] = [null, 'member', 'admin', 'owner'];
    expect(callers.map((caller) => mayChangeMembership({ caller, isOwn: false, before, after }))).toEqual(expected);
  });

  it.each([
    // role     leaves becomes member, admin, owner
    ['member', true, false, false, false],
    ['admin', true, true, true, false],
    ['owner', true, true, true, true],
  ] as const)('of their own, a %s', (role, ...expected) => {
    const afters: Part[] = [null, 'member', 'admin', 'owner'];
    expect(afters.map((after) => mayChangeMembership({ caller: role, isOwn: true, before: role, after }))).toEqual(
      expected,
    );
  });

  it.each([
    ['owner', null, true],
    ['owner', 'admin', true],
    ['owner', 'owner', false],
    ['admin', null, false],
    [null, 'owner', false],
  ] as const)('from %s to %s unmakes an owner: %s', (before, after, expected) => {
    expect(unmakesOwner({ before, after })).toBe(expected);
  });
});
