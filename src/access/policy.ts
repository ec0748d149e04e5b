import { type CredentialLimits, limitsAllow } from './credential-limits.js';
import type { Principal, RobotPrincipal, UserPrincipal } from './principal.js';
import { type Action, ACTIONS, type OrgRole, type Role, ROLE_ACTIONS, strongest } from './roles.js';

export type Visibility = 'public' | 'private';

/** A repository as one principal meets it. One that does not exist is private with the role that it would have. */
export interface Standing {
  readonly visibility: Visibility;
  readonly role: Role | null;
}

/** Live rights: what the principal may do, whatever credential it came with. */
export function mayAct(action: Action, { visibility, role }: Standing): boolean {
  if (visibility === 'public' && action === 'pull') return true;
  return role !== null && (ROLE_ACTIONS[role] as readonly Action[]).includes(action);
}

/** One row of a repository's permissions. */
export interface Grant {
  readonly kind: 'user' | 'team' | 'robot';
  readonly id: number;
  readonly role: Role;
}

/** Everything that can give a principal a role in a repository; what it is by itself, it brings along. */
export interface RoleSources {
  readonly principal: Principal;
  /** The namespace that the repository is in, or would be in. */
  readonly namespaceId: number | null;
  /** The repository's permissions, of whomever. */
  readonly grants: readonly Grant[];
}

/** A role and what gives it: a grant to the principal itself or to a team, the organization, the namespace. */
export type RoleReason =
  | { readonly kind: 'administrator' | 'namespaceOwner' | 'grant'; readonly role: Role }
  | { readonly kind: 'orgRole' | 'orgDefault'; readonly role: Role; readonly org: string; readonly orgRole: OrgRole }
  | { readonly kind: 'team'; readonly role: Role; readonly teamId: number; readonly team: string };

/** Every source that gives a role, each with its reason. */
export function roleReasons({ principal, namespaceId, grants }: RoleSources): RoleReason[] {
  switch (principal.kind) {
    case 'anonymous':
      return [];
    case 'robot':
      return ownGrants(principal, grants);
    case 'user':
      return [
        ...standingReasons(principal, namespaceId),
        ...ownGrants(principal, grants),
        ...principal.teams.flatMap(({ id, name }) =>
          grants
            .filter((grant) => grant.kind === 'team' && grant.id === id)
            .map(({ role }) => ({ kind: 'team' as const, role, teamId: id, team: name })),
        ),
      ];
  }
}

/** What a user is, rather than what it was granted. */
function standingReasons(user: UserPrincipal, namespaceId: number | null): RoleReason[] {
  const reasons: RoleReason[] = [];
  if (user.admin) reasons.push({ kind: 'administrator', role: 'admin' });
  if (namespaceId === null) return reasons;
  if (user.namespaceId === namespaceId) reasons.push({ kind: 'namespaceOwner', role: 'admin' });
  const membership = user.memberships.find((one) => one.namespaceId === namespaceId);
  if (!membership) return reasons;
  const { org, role: orgRole, defaultRole } = membership;
  if (orgRole !== 'member') reasons.push({ kind: 'orgRole', role: 'admin', org, orgRole });
  if (defaultRole !== null) reasons.push({ kind: 'orgDefault', role: defaultRole, org, orgRole });
  return reasons;
}

function ownGrants({ kind, id }: UserPrincipal | RobotPrincipal, grants: readonly Grant[]): RoleReason[] {
  return grants
    .filter((grant) => grant.kind === kind && grant.id === id)
    .map(({ role }) => ({ kind: 'grant' as const, role }));
}

/** The strongest role that any source gives. */
export function roleFrom(sources: RoleSources): Role | null {
  const { principal } = sources;
  // The two most common answers, without a list being made: this runs on each request.
  if (principal.kind === 'anonymous') return null;
  if (principal.kind === 'user' && (principal.admin || principal.namespaceId === sources.namespaceId)) return 'admin';
  return strongest(roleReasons(sources).map(({ role }) => role));
}

/** What a credential reaches of a repository. */
export interface RepositoryAccess extends Standing {
  /** The repository's full name, for the limits. */
  readonly repository: string;
  readonly limits: CredentialLimits;
}

export interface Question extends RepositoryAccess {
  readonly principal: Principal;
  readonly action: Action;
  /** The actions that the token's scope names for this repository; `null` for credentials without a scope. */
  readonly scoped: readonly string[] | null;
}

/** Effective rights: live rights ∩ the limits of the credential. Sources of mounts are judged by these alone. */
export function mayEffectively(action: Action, access: RepositoryAccess): boolean {
  return mayAct(action, access) && limitsAllow(access.limits, action, access.repository);
}

/** You may grant only what you hold: with this credential, every action of the role. */
export function mayGrant(role: Role, access: RepositoryAccess): boolean {
  return ROLE_ACTIONS[role].every((action) => mayEffectively(action, access));
}

/**
 * - `insufficientScope`: 401 with `error="insufficient_scope"` and the full scope; the client returns with a better token.
 * - `challenge`: 401 that asks for credentials.
 * - `notFound`: the same answer as for what does not exist.
 * - `denied`: 403, for what the caller may know of.
 */
export type Decision = 'allow' | 'insufficientScope' | 'challenge' | 'notFound' | 'denied';

/** Who may, and what they are told otherwise; the order is the rule. */
export function decide(question: Question): Decision {
  const { principal, action, scoped, visibility } = question;
  if (mayEffectively(action, question)) {
    return scoped === null || scoped.includes(action) ? 'allow' : 'insufficientScope';
  }
  if (principal.kind === 'anonymous') return 'challenge';
  const mayKnow = visibility === 'public' || ACTIONS.some((other) => mayEffectively(other, question));
  return mayKnow ? 'denied' : 'notFound';
}

/** The actions that a challenge asks for, so that one token serves a whole push or pull. */
export const SCOPE_TO_ASK = {
  pull: ['pull'],
  push: ['pull', 'push'],
  delete: ['pull', 'push', 'delete'],
  manage: [],
} as const satisfies Record<Action, readonly Action[]>;
