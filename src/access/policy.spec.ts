import { describe, expect, it } from '@jest/globals';
import { type CredentialLimits, UNLIMITED } from './credential-limits.js';
import {
  type Decision,
  decide,
  type Grant,
  mayAct,
  mayEffectively,
  mayGrant,
  type Question,
  roleFrom,
  roleReasons,
  SCOPE_TO_ASK,
} from './policy.js';
import { ANONYMOUS, type Principal, type UserPrincipal } from './principal.js';
import { ACTIONS, type OrgRole, ROLES, type Role, strongest } from './roles.js';

const USER: UserPrincipal = {
  kind: 'user',
  id: 1,
  username: 'ada',
  admin: false,
  namespaceId: 10,
  memberships: [],
  teams: [{ id: 5, orgId: 4, name: 'dev', maintainer: false }],
};
const ADMINISTRATOR: Principal = { ...USER, id: 2, username: 'root', admin: true, namespaceId: 20 };
const ROBOT: Principal = { kind: 'robot', id: 3, name: 'robot-acme.ci', orgId: 4 };
const memberOf11 = (role: OrgRole, defaultRole: Role | null = null): Principal => ({
  ...USER,
  memberships: [{ orgId: 4, namespaceId: 11, org: 'acme', role, defaultRole }],
});

describe('live rights', () => {
  const TABLE = [
    //                   pull   push   delete manage
    ['public', null, true, false, false, false],
    ['public', 'read', true, false, false, false],
    ['public', 'write', true, true, false, false],
    ['public', 'admin', true, true, true, true],
    ['private', null, false, false, false, false],
    ['private', 'read', true, false, false, false],
    ['private', 'write', true, true, false, false],
    ['private', 'admin', true, true, true, true],
  ] as const;

  it.each(TABLE)('%s repository, role %s', (visibility, role, ...expected) => {
    expect(ACTIONS.map((action) => mayAct(action, { visibility, role }))).toEqual(expected);
  });
});

describe('the role that a principal has', () => {
  const own = (role: Role, id = 1): Grant => ({ kind: 'user', id, role });
  const TABLE: readonly (readonly [string, Principal, number | null, readonly Grant[], Role | null, string[]])[] = [
    ['nobody, whatever is granted', ANONYMOUS, 10, [own('admin')], null, []],
    ['the owner of the namespace', USER, 10, [], 'admin', ['namespaceOwner']],
    ['another user', USER, 11, [], null, []],
    ['a user, in a namespace that does not exist', USER, null, [], null, []],
    ['an administrator of the registry', ADMINISTRATOR, 11, [], 'admin', ['administrator']],
    ['a user with a grant', USER, 11, [own('write')], 'write', ['grant']],
    ['a user with somebody else’s grant', USER, 11, [own('write', 9)], null, []],
    ['a user with a robot’s grant of the same number', USER, 11, [{ kind: 'robot', id: 1, role: 'admin' }], null, []],
    [
      'a user whose team has more',
      USER,
      11,
      [own('read'), { kind: 'team', id: 5, role: 'write' }],
      'write',
      ['grant', 'team'],
    ],
    ['a user whose team it is not', USER, 11, [{ kind: 'team', id: 6, role: 'write' }], null, []],
    ['an owner of the organization', memberOf11('owner'), 11, [], 'admin', ['orgRole']],
    ['an admin of the organization', memberOf11('admin'), 11, [own('read')], 'admin', ['orgRole', 'grant']],
    ['a member without a default', memberOf11('member'), 11, [], null, []],
    ['a member with a default', memberOf11('member', 'read'), 11, [], 'read', ['orgDefault']],
    ['a member with a default, elsewhere', memberOf11('member', 'admin'), 12, [], null, []],
    ['an owner, elsewhere', memberOf11('owner', 'admin'), 12, [], null, []],
    ['a robot with a grant', ROBOT, 11, [{ kind: 'robot', id: 3, role: 'write' }], 'write', ['grant']],
    ['a robot with a user’s grant', ROBOT, 11, [own('write', 3)], null, []],
    ['a robot, in its organization', ROBOT, 4, [], null, []],
  ];

  it.each(TABLE)('%s', (_who, principal, namespaceId, grants, role, reasons) => {
    const sources = { principal, namespaceId, grants };
    expect(roleFrom(sources)).toBe(role);
    expect(roleReasons(sources).map(({ kind }) => kind)).toEqual(reasons);
  });

  it('is the strongest of its reasons', () => {
    for (const [, principal, namespaceId, grants] of TABLE) {
      const reasons = roleReasons({ principal, namespaceId, grants });
      expect(roleFrom({ principal, namespaceId, grants })).toBe(strongest(reasons.map(({ role }) => role)));
    }
  });
});

describe('the decision', () => {
  const PULL_ONLY: CredentialLimits = { actions: ['pull'], repositories: null };
  const ELSEWHERE: CredentialLimits = { actions: null, repositories: ['other'] };
  const TABLE: [string, Partial<Question>, [pull: Decision, push: Decision, remove: Decision, manage: Decision]][] = [
    ['anonymous, private', { principal: ANONYMOUS }, ['challenge', 'challenge', 'challenge', 'challenge']],
    [
      'anonymous, public',
      { principal: ANONYMOUS, visibility: 'public' },
      ['allow', 'challenge', 'challenge', 'challenge'],
    ],
    [
      'anonymous with an anonymous token, public',
      { principal: ANONYMOUS, visibility: 'public', scoped: ['pull'] },
      ['allow', 'challenge', 'challenge', 'challenge'],
    ],
    [
      'anonymous with a token for something else, public',
      { principal: ANONYMOUS, visibility: 'public', scoped: [] },
      ['insufficientScope', 'challenge', 'challenge', 'challenge'],
    ],
    ['user without a role, private', {}, ['notFound', 'notFound', 'notFound', 'notFound']],
    ['user without a role, public', { visibility: 'public' }, ['allow', 'denied', 'denied', 'denied']],
    ['reader', { role: 'read' }, ['allow', 'denied', 'denied', 'denied']],
    ['writer', { role: 'write' }, ['allow', 'allow', 'denied', 'denied']],
    ['admin', { role: 'admin' }, ['allow', 'allow', 'allow', 'allow']],
    ['robot that may write', { principal: ROBOT, role: 'write' }, ['allow', 'allow', 'denied', 'denied']],
    ['robot without a grant', { principal: ROBOT }, ['notFound', 'notFound', 'notFound', 'notFound']],
    ['writer, token for pull', { role: 'write', scoped: ['pull'] }, ['allow', 'insufficientScope', 'denied', 'denied']],
    [
      'admin, token for nothing',
      { role: 'admin', scoped: [] },
      ['insufficientScope', 'insufficientScope', 'insufficientScope', 'insufficientScope'],
    ],
    ['reader, token for everything', { role: 'read', scoped: ACTIONS }, ['allow', 'denied', 'denied', 'denied']],
    ['no role, token for everything', { scoped: ACTIONS }, ['notFound', 'notFound', 'notFound', 'notFound']],
    ['admin, key for pull', { role: 'admin', limits: PULL_ONLY }, ['allow', 'denied', 'denied', 'denied']],
    [
      'admin, key for elsewhere',
      { role: 'admin', limits: ELSEWHERE },
      ['notFound', 'notFound', 'notFound', 'notFound'],
    ],
    [
      'key for elsewhere, public',
      { role: 'admin', visibility: 'public', limits: ELSEWHERE },
      ['denied', 'denied', 'denied', 'denied'],
    ],
    [
      'admin, key for pull, token for push',
      { role: 'admin', limits: PULL_ONLY, scoped: ['push'] },
      ['insufficientScope', 'denied', 'denied', 'denied'],
    ],
  ];
  const question = (part: Partial<Question>): Question => ({
    principal: USER,
    action: 'pull',
    repository: 'acme/app',
    visibility: 'private',
    role: null,
    limits: UNLIMITED,
    scoped: null,
    ...part,
  });

  it.each(TABLE)('%s', (_who, part, expected) => {
    expect(ACTIONS.map((action) => decide(question({ ...part, action })))).toEqual(expected);
  });

  it('keeps its promises for every combination', () => {
    for (const principal of [ANONYMOUS, USER, ROBOT])
      for (const visibility of ['public', 'private'] as const)
        for (const role of principal === ANONYMOUS ? [null] : [null, ...ROLES])
          for (const limits of [UNLIMITED, PULL_ONLY, ELSEWHERE])
            for (const scoped of [null, [], ['pull'], ['pull', 'push'], ACTIONS])
              for (const action of ACTIONS) {
                const asked = question({ principal, visibility, role, limits, scoped, action });
                const decision = decide(asked);
                const effective = mayEffectively(action, asked);
                // A scope never grants, limits never grant, and nothing that is allowed goes beyond the live rights.
                if (decision === 'allow') expect(effective && (scoped === null || scoped.includes(action))).toBe(true);
                if (effective) expect(['allow', 'insufficientScope']).toContain(decision);
                // Only anonymous callers are asked for credentials, and they are never told whether something exists.
                expect(decision === 'challenge').toBe(!effective && principal === ANONYMOUS);
                // What is public is no secret; what gives no right at all is one.
                if (decision === 'notFound') expect(visibility).toBe('private');
                if (decision === 'denied' && visibility === 'private')
                  expect(ACTIONS.some((other) => mayEffectively(other, asked))).toBe(true);
              }
  });

  it('answers for a repository that does not exist as for a private one', () => {
    const absent = { visibility: 'private', role: null } as const;
    expect(decide(question({ ...absent, principal: ANONYMOUS }))).toBe('challenge');
    expect(decide(question({ ...absent, action: 'push' }))).toBe('notFound');
    expect(decide(question({ ...absent, role: 'admin', action: 'push' }))).toBe('allow');
  });
});

it('asks in a challenge at least for the action itself', () => {
  for (const action of ['pull', 'push', 'delete'] as const) expect(SCOPE_TO_ASK[action]).toContain(action);
});

describe('you may grant only what you hold', () => {
  const ALL = ['pull', 'push', 'delete', 'manage'] as const;
  const TABLE = [
    // role of the one who grants, what the credential lets through, read   write  admin
    ['admin', null, true, true, true],
    ['admin', ALL, true, true, true],
    ['admin', ['pull', 'push', 'manage'], true, true, false],
    ['admin', ['pull', 'manage'], true, false, false],
    ['admin', ['push', 'manage'], false, false, false],
    ['admin', ['manage'], false, false, false],
    ['write', null, true, true, false],
    ['read', null, true, false, false],
    [null, null, false, false, false],
  ] as const;

  it.each(TABLE)('%s, with a credential for %j', (role, actions, ...expected) => {
    const reach = {
      visibility: 'private',
      role,
      repository: 'acme/app',
      limits: { actions, repositories: null },
    } as const;
    expect(ROLES.map((granted) => mayGrant(granted, reach))).toEqual(expected);
    const elsewhere = { ...reach, limits: { actions, repositories: ['other'] } };
    expect(ROLES.some((granted) => mayGrant(granted, elsewhere))).toBe(false);
  });
});
