import { describe, expect, it } from '@jest/globals';
import { type CredentialLimits, UNLIMITED } from '../../access/credential-limits.js';
import { ANONYMOUS, type Principal, type UserPrincipal } from '../../access/principal.js';
import type { OrgRole, Role } from '../../access/roles.js';
import type { RepositoryName } from '../../oci/repository-name.js';
import { managesByStanding, managesNamespace, repositoryAccess } from './repo-access.js';

const PATH = 'acme/app' as RepositoryName;
const USER: UserPrincipal = {
  kind: 'user',
  id: 1,
  username: 'ada',
  admin: false,
  namespaceId: 10,
  memberships: [],
  teams: [{ id: 5, orgId: 4, name: 'dev', maintainer: true }],
};
const ROBOT: Principal = { kind: 'robot', id: 1, name: 'robot-acme.ci', orgId: 4 };
const ADMINISTRATOR: Principal = { ...USER, admin: true };
const member = (role: OrgRole, defaultRole: Role | null = null, org = 'acme'): Principal => ({
  ...USER,
  memberships: [{ orgId: 4, namespaceId: 11, org, role, defaultRole }],
});

describe('standing in the namespace of acme/app', () => {
  const of = (...repositories: string[]): CredentialLimits => ({ actions: null, repositories });
  const TABLE: readonly (readonly [string, Principal, CredentialLimits, boolean])[] = [
    ['anonymous', ANONYMOUS, UNLIMITED, false],
    ['a user of that name', { ...USER, username: 'acme' }, UNLIMITED, true],
    ['another user', USER, UNLIMITED, false],
    ['an administrator of the registry', ADMINISTRATOR, UNLIMITED, true],
    ['an owner of the organization', member('owner'), UNLIMITED, true],
    ['an admin of the organization', member('admin'), UNLIMITED, true],
    ['a member', member('member'), UNLIMITED, false],
    ['a member who may write everywhere', member('member', 'write'), UNLIMITED, false],
    ['a member who manages everywhere', member('member', 'admin'), UNLIMITED, true],
    ['an owner of another organization', member('owner', 'admin', 'partner'), UNLIMITED, false],
    ['a robot of the organization', ROBOT, UNLIMITED, false],
    ['an owner, key for pulls', member('owner'), { actions: ['pull'], repositories: null }, false],
    ['an owner, key that manages', member('owner'), { actions: ['manage'], repositories: null }, true],
    ['an owner, key for the repository', member('owner'), of('acme/app'), true],
    ['an owner, key for the namespace', member('owner'), of('acme'), true],
    ['an owner, key for elsewhere', member('owner'), of('acme/other', 'partner'), false],
    ['an administrator, key for elsewhere', ADMINISTRATOR, of('partner'), false],
  ];

  it.each(TABLE)('%s', (_who, principal, limits, expected) => {
    expect(managesByStanding({ principal, limits }, PATH)).toBe(expected);
  });

  it.each(TABLE)('%s, for the whole namespace', (who, principal, limits, expected) => {
    const isForOne = who === 'an owner, key for the repository';
    expect(managesNamespace({ principal, limits }, 'acme')).toBe(expected && !isForOne);
  });

  it('is nothing that a grant gives, to whomever', () => {
    const role = 'admin';
    const grants = [
      { kind: 'user', id: 1, role },
      { kind: 'team', id: 5, role },
      { kind: 'robot', id: 1, role },
    ] as const;
    const repository = {
      id: 1,
      path: PATH,
      namespaceId: 11,
      visibility: 'private',
      sparse: false,
      listed: true,
      grants,
    };
    for (const principal of [USER, ROBOT, member('member')]) {
      expect(repositoryAccess(principal, UNLIMITED, PATH, { ...repository, visibility: 'private' }).role).toBe('admin');
      expect(managesByStanding({ principal, limits: UNLIMITED }, PATH)).toBe(false);
    }
  });
});
