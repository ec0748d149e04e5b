import { describe, expect, it } from '@jest/globals';
import { type CredentialLimits, UNLIMITED } from './credential-limits.js';
import {
  decideOrganization,
  mayCreateOrganization,
  mayInOrganization,
  ORG_ACTIONS,
  type OrganizationDecision,
} from './organization-policy.js';
import { ANONYMOUS, type Principal, type UserPrincipal } from './principal.js';
import type { OrgRole } from './roles.js';

const OUTSIDER: UserPrincipal = {
  kind: 'user',
  id: 1,
  username: 'ada',
  admin: false,
  namespaceId: 10,
  memberships: [{ orgId: 9, namespaceId: 19, org: 'other', role: 'owner', defaultRole: 'admin' }],
  teams: [{ id: 3, orgId: 9, name: 'dev', maintainer: true }],
};
const ROBOT: Principal = { kind: 'robot', id: 3, name: 'robot-acme.ci', orgId: 4 };
const member = (role: OrgRole, maintainer = false): UserPrincipal => ({
  ...OUTSIDER,
  memberships: [{ orgId: 4, namespaceId: 14, org: 'acme', role, defaultRole: null }],
  teams: [{ id: 5, orgId: 4, name: 'dev', maintainer }],
});
const MAY_PULL: CredentialLimits = { actions: ['pull', 'push'], repositories: null };
const MAY_MANAGE: CredentialLimits = { actions: ['manage'], repositories: ['acme'] };
const ONE_REPOSITORY: CredentialLimits = { actions: null, repositories: ['acme/app'] };

type Decisions = readonly [
  see: OrganizationDecision,
  maintain: OrganizationDecision,
  manage: OrganizationDecision,
  own: OrganizationDecision,
];

describe('what a caller may do in an organization', () => {
  const TABLE: readonly (readonly [string, Principal, CredentialLimits, string | undefined, Decisions])[] = [
    ['nobody', ANONYMOUS, UNLIMITED, undefined, ['challenge', 'challenge', 'challenge', 'challenge']],
    ['no member', OUTSIDER, UNLIMITED, undefined, ['notFound', 'notFound', 'notFound', 'notFound']],
    [
      'a maintainer of another organization’s team',
      OUTSIDER,
      UNLIMITED,
      'dev',
      ['notFound', 'notFound', 'notFound', 'notFound'],
    ],
    ['a member', member('member'), UNLIMITED, undefined, ['allow', 'denied', 'denied', 'denied']],
    ['an admin', member('admin'), UNLIMITED, undefined, ['allow', 'allow', 'allow', 'denied']],
    ['an owner', member('owner'), UNLIMITED, undefined, ['allow', 'allow', 'allow', 'allow']],
    [
      'an administrator of the registry',
      { ...OUTSIDER, admin: true },
      UNLIMITED,
      undefined,
      ['allow', 'allow', 'allow', 'allow'],
    ],
    ['a robot of the organization', ROBOT, UNLIMITED, undefined, ['notFound', 'notFound', 'notFound', 'notFound']],
    ['a maintainer, in the team', member('member', true), UNLIMITED, 'dev', ['allow', 'allow', 'denied', 'denied']],
    [
      'a maintainer, in another team',
      member('member', true),
      UNLIMITED,
      'ops',
      ['allow', 'denied', 'denied', 'denied'],
    ],
    [
      'a maintainer, in the organization',
      member('member', true),
      UNLIMITED,
      undefined,
      ['allow', 'denied', 'denied', 'denied'],
    ],
    ['a member of the team', member('member'), UNLIMITED, 'dev', ['allow', 'denied', 'denied', 'denied']],
    [
      'an owner with a key to pull and push',
      member('owner'),
      MAY_PULL,
      undefined,
      ['denied', 'denied', 'denied', 'denied'],
    ],
    ['an owner with a key to manage', member('owner'), MAY_MANAGE, undefined, ['allow', 'allow', 'allow', 'allow']],
    [
      'an owner with a key to one repository',
      member('owner'),
      ONE_REPOSITORY,
      undefined,
      ['notFound', 'notFound', 'notFound', 'notFound'],
    ],
  ];

  it.each(TABLE)('%s', (_who, principal, limits, team, expected) => {
    const decide = (org: string) =>
      ORG_ACTIONS.map((action) => decideOrganization({ principal, action, limits, org, team }));
    expect(decide('acme')).toEqual(expected);
  });

  it('lets each role do what the one below it may', () => {
    const table = (['member', 'admin', 'owner'] as const).map((role) =>
      ORG_ACTIONS.map((action) => mayInOrganization(action, role)),
    );
    expect(table).toEqual([
      [true, false, false, false],
      [true, true, true, false],
      [true, true, true, true],
    ]);
  });

  it.each([
    ['a user, where users may', OUTSIDER, 'users', true],
    ['an administrator, where users may', { ...OUTSIDER, admin: true }, 'users', true],
    ['a user, where administrators may', OUTSIDER, 'admin', false],
    ['an administrator, where administrators may', { ...OUTSIDER, admin: true }, 'admin', true],
  ] as const)('says whether organizations are made by %s', (_who, user, creators, expected) => {
    expect(mayCreateOrganization(user, creators)).toBe(expected);
  });
});
