import { type CredentialLimits, limitsReachNamespace } from './credential-limits.js';
import { membershipIn, type Principal, type UserPrincipal } from './principal.js';
import type { OrgRole } from './roles.js';

/**
 * - `see`: members, teams, robots.
 * - `maintain`: who is in a team.
 * - `manage`: settings, members below owner, teams, robots, invitations.
 * - `own`: delete it, make and unmake owners.
 */
export const ORG_ACTIONS = ['see', 'maintain', 'manage', 'own'] as const;
export type OrgAction = (typeof ORG_ACTIONS)[number];

const ORG_ROLE_ACTIONS = {
  member: ['see'],
  admin: ['see', 'maintain', 'manage'],
  owner: ['see', 'maintain', 'manage', 'own'],
} as const satisfies Record<OrgRole, readonly OrgAction[]>;

export interface OrganizationQuestion {
  readonly principal: Principal;
  readonly action: OrgAction;
  readonly limits: CredentialLimits;
  /** The organization's name, whether it exists or not. */
  readonly org: string;
  /** A team of it, on routes of one: its maintainers may `maintain` it. */
  readonly team?: string | undefined;
}

export type OrganizationDecision = 'allow' | 'challenge' | 'notFound' | 'denied';

/** Who may do what in an organization. Decided from what the principal is alone: an unknown name costs the same. */
export function decideOrganization(question: OrganizationQuestion): OrganizationDecision {
  const { principal, action, limits, org } = question;
  if (principal.kind === 'anonymous') return 'challenge';
  const role = orgRoleOf(principal, org);
  if (role === null || !limitsReachNamespace(limits, org)) return 'notFound';
  if (limits.actions !== null && !limits.actions.includes('manage')) return 'denied';
  return mayInOrganization(action, role) || (action === 'maintain' && maintains(question)) ? 'allow' : 'denied';
}

/** Whether a user may make organizations, where `creators` may. */
export function mayCreateOrganization({ admin }: UserPrincipal, creators: 'users' | 'admin'): boolean {
  return creators === 'users' || admin;
}

export function mayInOrganization(action: OrgAction, role: OrgRole): boolean {
  return (ORG_ROLE_ACTIONS[role] as readonly OrgAction[]).includes(action);
}

/** An administrator of the registry is an owner everywhere, also of what does not exist. */
export function orgRoleOf(principal: Principal, org: string): OrgRole | null {
  const role = membershipIn(principal, org)?.role ?? null;
  return principal.kind === 'user' ? standingOf({ admin: principal.admin, role }) : role;
}

/** What a user counts as in an organization that gave them `role`. */
export function standingOf({ admin, role }: { admin: boolean; role: OrgRole | null }): OrgRole | null {
  return admin ? 'owner' : role;
}

function maintains({ principal, org, team }: OrganizationQuestion): boolean {
  const membership = membershipIn(principal, org);
  if (team === undefined || membership === null || principal.kind !== 'user') return false;
  return principal.teams.some((one) => one.orgId === membership.orgId && one.name === team && one.maintainer);
}
