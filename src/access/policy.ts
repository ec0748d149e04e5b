import { type CredentialLimits, limitsAllow } from './credential-limits.js';
import type { Principal } from './principal.js';
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

/** Everything that can give a principal a role in a repository. */
export interface RoleSources {
  readonly principal: Principal;
  /** The namespace that the repository is in, or would be in. */
  readonly namespaceId: number | null;
  /** Roles granted to the principal itself, and to its teams. */
  readonly grants?: readonly Role[];
  readonly teamGrants?: readonly Role[];
  /** The principal's role in the organization that owns the namespace. */
  readonly orgRole?: OrgRole | null;
  /** What that organization gives each of its members. */
  readonly orgDefault?: Role | null;
}

/** The strongest role that any source gives. */
export function roleFrom(sources: RoleSources): Role | null {
  const { principal, namespaceId, grants = [], teamGrants = [], orgRole = null, orgDefault = null } = sources;
  switch (principal.kind) {
    case 'anonymous':
      return null;
    case 'robot':
      return strongest(grants);
    case 'user': {
      if (principal.admin || principal.namespaceId === namespaceId) return 'admin';
      const fromOrg = orgRole === 'member' ? orgDefault : orgRole === null ? null : 'admin';
      return strongest([...grants, ...teamGrants, fromOrg]);
    }
  }
}

/** What a credential reaches of a repository. */
export interface Reach extends Standing {
  /** The repository's full name, for the limits. */
  readonly repository: string;
  readonly limits: CredentialLimits;
}

export interface Question extends Reach {
  readonly principal: Principal;
  readonly action: Action;
  /** The actions that the token's scope names for this repository; `null` for credentials without a scope. */
  readonly scoped: readonly string[] | null;
}

/** Effective rights: live rights ∩ the limits of the credential. Sources of mounts are judged by these alone. */
export function mayEffectively(action: Action, reach: Reach): boolean {
  return mayAct(action, reach) && limitsAllow(reach.limits, action, reach.repository);
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
