import { describe, expect, it } from '@jest/globals';
import {
  limitsAllow,
  limitsHoldNamespace,
  limitsOfKey,
  limitsReach,
  limitsWithin,
  scopesOfLimits,
  UNLIMITED,
} from './credential-limits.js';
import { ACTIONS } from './roles.js';

describe('the limits of a credential', () => {
  it.each([
    [null, 'acme/app', true],
    [[], 'acme/app', false],
    [['acme'], 'acme/app', true],
    [['acme'], 'acme/team/app', true],
    [['acme'], 'acme2/app', false],
    [['acme'], 'other/acme', false],
    [['acme/app'], 'acme/app', true],
    [['acme/app'], 'acme/app2', false],
    [['acme/app'], 'acme/app/sub', false],
    [['acme/team/*'], 'acme/team/app', true],
    [['acme/team/*'], 'acme/team', false],
    [['acme/team/*'], 'acme/teams/app', false],
    [['x/y', 'acme/*'], 'acme/app', true],
    [[''], 'acme/app', false],
    [['*'], 'acme/app', false],
    [['/*'], 'acme/app', false],
  ])('%j reach %s: %j', (repositories, repository, expected) => {
    expect(limitsReach({ actions: null, repositories }, repository)).toBe(expected);
  });

  it('are none for a password', () => {
    expect(ACTIONS.every((action) => limitsAllow(UNLIMITED, action, 'acme/app'))).toBe(true);
  });

  it('let through what a key names, and nothing for a scope that is not known', () => {
    const limits = limitsOfKey(['repo:pull', 'repo:fly', 'toString'], ['acme']);
    expect(ACTIONS.filter((action) => limitsAllow(limits, action, 'acme/app'))).toEqual(['pull']);
    expect(limitsAllow(limits, 'pull', 'other/app')).toBe(false);
    expect(ACTIONS.some((action) => limitsAllow(limitsOfKey([], null), action, 'acme/app'))).toBe(false);
  });

  it.each([
    [null, null, true],
    [null, ['acme'], true],
    [null, ['other', 'acme'], true],
    [null, ['acme/*'], false],
    [null, ['acme/app'], false],
    [null, ['other'], false],
    [ACTIONS, ['acme'], true],
    [['manage', 'delete', 'push', 'pull'], null, true],
    [['manage'], ['acme'], false],
    [['pull', 'push', 'manage'], null, false],
    [[], null, false],
  ] as const)('of %j in %j hold all of a namespace: %j', (actions, repositories, expected) => {
    expect(limitsHoldNamespace({ actions, repositories }, 'acme')).toBe(expected);
  });

  it('say as scopes what they let through', () => {
    expect(scopesOfLimits(UNLIMITED)).toBeNull();
    expect(scopesOfLimits(limitsOfKey(['manage', 'repo:pull', 'repo:fly'], null))).toEqual(['repo:pull', 'manage']);
  });

  it.each([
    [['acme'], ['acme'], true],
    [['acme/*'], ['acme'], true],
    [['acme/app'], ['acme'], true],
    [['acme/team/*'], ['acme'], true],
    [['acme2/app'], ['acme'], false],
    [['acme'], ['acme/*'], true],
    [['acme/team/app'], ['acme/team/*'], true],
    [['acme/team'], ['acme/team/*'], false],
    [['acme/*'], ['acme/team/*'], false],
    [['acme/app'], ['acme/app'], true],
    [['acme/app/*'], ['acme/app'], false],
    [['acme/app', 'other/app'], ['acme'], false],
    [['acme/app', 'other/app'], ['acme', 'other'], true],
    [null, ['acme'], false],
    [['acme'], null, true],
    [null, null, true],
  ])('for %j are within those for %j: %j', (inner, outer, expected) => {
    const limits = (repositories: string[] | null) => ({ actions: null, repositories });
    expect(limitsWithin(limits(inner), limits(outer))).toBe(expected);
  });

  it.each([
    [['repo:pull'], ['repo:pull', 'manage'], true],
    [['repo:pull', 'repo:push'], ['repo:pull', 'manage'], false],
  ])('of %j are within those of %j: %j', (inner, outer, expected) => {
    expect(limitsWithin(limitsOfKey(inner, null), limitsOfKey(outer, null))).toBe(expected);
    expect(limitsWithin(UNLIMITED, limitsOfKey(outer, null))).toBe(false);
    expect(limitsWithin(limitsOfKey(inner, null), UNLIMITED)).toBe(true);
  });
});
