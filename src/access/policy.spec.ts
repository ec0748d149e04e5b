import { describe, expect, it } from '@jest/globals';
import { type CredentialLimits, UNLIMITED } from './credential-limits.js';
import { type Decision, decide, mayAct, mayEffectively, type Question, roleFrom, SCOPE_TO_ASK } from './policy.js';
import { ANONYMOUS, type Principal } from './principal.js';
import { ACTIONS, ROLES, type Role } from './roles.js';

const USER: Principal = { kind: 'user', id: 1, username: 'ada', admin: false, namespaceId: 10 };
const ADMINISTRATOR: Principal = { ...USER, id: 2, username: 'root', admin: true, namespaceId: 20 };
const ROBOT: Principal = { kind: 'robot', id: 3, name: 'robot-ci', orgId: 4 };

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
  it.each<[string, Parameters<typeof roleFrom>[0], Role | null]>([
    ['nobody, whatever is granted', { principal: ANONYMOUS, namespaceId: 10, grants: ['admin'] }, null],
    ['the owner of the namespace', { principal: USER, namespaceId: 10 }, 'admin'],
    ['another user', { principal: USER, namespaceId: 11 }, null],
    ['a user, in a namespace that does not exist', { principal: USER, namespaceId: null }, null],
    ['an administrator of the registry', { principal: ADMINISTRATOR, namespaceId: 11 }, 'admin'],
    ['a user with a grant', { principal: USER, namespaceId: 11, grants: ['write'] }, 'write'],
    [
      'a user whose team has more',
      { principal: USER, namespaceId: 11, grants: ['read'], teamGrants: ['write'] },
      'write',
    ],
    ['an owner of the organization', { principal: USER, namespaceId: 11, orgRole: 'owner' }, 'admin'],
    ['an admin of the organization', { principal: USER, namespaceId: 11, orgRole: 'admin', grants: ['read'] }, 'admin'],
    ['a member without a default', { principal: USER, namespaceId: 11, orgRole: 'member' }, null],
    ['a member with a default', { principal: USER, namespaceId: 11, orgRole: 'member', orgDefault: 'read' }, 'read'],
    ['no member, whatever the default', { principal: USER, namespaceId: 11, orgDefault: 'admin' }, null],
    ['a robot with a grant', { principal: ROBOT, namespaceId: 11, grants: ['write'] }, 'write'],
    [
      'a robot, which gets no default',
      { principal: ROBOT, namespaceId: 11, orgRole: 'member', orgDefault: 'admin' },
      null,
    ],
  ])('%s', (_who, sources, expected) => {
    expect(roleFrom(sources)).toBe(expected);
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
