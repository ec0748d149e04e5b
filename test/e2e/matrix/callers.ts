import { type CredentialLimits, UNLIMITED } from '../../../src/access/credential-limits.js';
import { type Grant } from '../../../src/access/policy.js';
import { ANONYMOUS, type Principal, type UserPrincipal } from '../../../src/access/principal.js';
import type { OrgRole } from '../../../src/access/roles.js';

/** The organization of the cast, as the policy sees it; each of its repositories has the same grants. */
export const ORG = 'acme';
const ORG_ID = 1;
export const NAMESPACE_ID = 100;
const TEAM = { id: 7, name: 'dev' };

const user = (id: number, username: string, rest: Partial<UserPrincipal> = {}): UserPrincipal => ({
  kind: 'user',
  id,
  username,
  admin: false,
  namespaceId: id,
  memberships: [],
  teams: [],
  ...rest,
});

const inOrg = (role: OrgRole, maintainer?: boolean): Partial<UserPrincipal> => ({
  memberships: [{ orgId: ORG_ID, namespaceId: NAMESPACE_ID, org: ORG, role, defaultRole: null }],
  teams: maintainer === undefined ? [] : [{ ...TEAM, orgId: ORG_ID, maintainer }],
});

const ROBOT: Principal = { kind: 'robot', id: 3, name: `robot-${ORG}.ci`, orgId: ORG_ID };

/** Who calls, as the pure policy sees them. `live.ts` makes the same people in a registry. */
export interface CallerRow {
  readonly principal: Principal;
  readonly limits: CredentialLimits;
}

export const CALLERS = {
  anonymous: { principal: ANONYMOUS, limits: UNLIMITED },
  stranger: { principal: user(10, 'stranger'), limits: UNLIMITED },
  reader: { principal: user(11, 'reader'), limits: UNLIMITED },
  writer: { principal: user(12, 'writer'), limits: UNLIMITED },
  keeper: { principal: user(13, 'keeper'), limits: UNLIMITED },
  member: { principal: user(14, 'member', inOrg('member')), limits: UNLIMITED },
  teamMember: { principal: user(15, 'team-member', inOrg('member', false)), limits: UNLIMITED },
  maintainer: { principal: user(16, 'maintainer', inOrg('member', true)), limits: UNLIMITED },
  orgAdmin: { principal: user(17, 'org-admin', inOrg('admin')), limits: UNLIMITED },
  orgOwner: { principal: user(18, 'org-owner', inOrg('owner')), limits: UNLIMITED },
  /** A key of the owner that may only pull. */
  pullKey: { principal: user(18, 'org-owner', inOrg('owner')), limits: { actions: ['pull'], repositories: null } },
  robot: { principal: ROBOT, limits: { actions: ['pull', 'push', 'delete'], repositories: null } },
  administrator: { principal: user(1, 'admin', { admin: true }), limits: UNLIMITED },
} as const satisfies Record<string, CallerRow>;

export type CallerName = keyof typeof CALLERS;
export const CALLER_NAMES = Object.keys(CALLERS) as CallerName[];

/** The permissions of every repository in the matrix: reader, writer, keeper, the team and the robot. */
export const GRANTS: readonly Grant[] = [
  { kind: 'user', id: 11, role: 'read' },
  { kind: 'user', id: 12, role: 'write' },
  { kind: 'user', id: 13, role: 'admin' },
  { kind: 'team', id: TEAM.id, role: 'write' },
  { kind: 'robot', id: 3, role: 'write' },
];

/** The same as a client writes them. */
export const WRITTEN_GRANTS = [
  { kind: 'user', name: 'reader', role: 'read' },
  { kind: 'user', name: 'writer', role: 'write' },
  { kind: 'user', name: 'keeper', role: 'admin' },
  { kind: 'team', name: TEAM.name, role: 'write' },
  { kind: 'robot', name: 'ci', role: 'write' },
] as const;
