import type { OrgRole, Role } from './roles.js';

/** Who a request acts for, as it is in the database now; what its credential may do of that is `CredentialLimits`. */
export type Principal = AnonymousPrincipal | UserPrincipal | RobotPrincipal;

export interface AnonymousPrincipal {
  readonly kind: 'anonymous';
}

export interface UserPrincipal {
  readonly kind: 'user';
  readonly id: number;
  readonly username: string;
  /** An administrator of the registry: every right in every repository. */
  readonly admin: boolean;
  /** The namespace of the user's own name. */
  readonly namespaceId: number;
  readonly memberships: readonly Membership[];
  readonly teams: readonly TeamMembership[];
}

/** A user in an organization. */
export interface Membership {
  readonly orgId: number;
  readonly namespaceId: number;
  /** The organization's name, which is its namespace's. */
  readonly org: string;
  readonly role: OrgRole;
  /** What the organization gives each of its members in all of its repositories. */
  readonly defaultRole: Role | null;
}

export interface TeamMembership {
  readonly id: number;
  readonly orgId: number;
  readonly name: string;
  /** May decide who is in the team. */
  readonly maintainer: boolean;
}

/** A service account of an organization: it has what it was granted, nothing by membership. */
export interface RobotPrincipal {
  readonly kind: 'robot';
  readonly id: number;
  readonly name: string;
  readonly orgId: number;
}

export const ANONYMOUS: AnonymousPrincipal = Object.freeze({ kind: 'anonymous' });

/** A stable short name such as `user:7`, for columns and logs; names may change, ids do not. */
export function principalKey(principal: Principal): string {
  return principal.kind === 'anonymous' ? 'anonymous' : `${principal.kind}:${principal.id}`;
}

/** What people call the principal. */
export function principalName(principal: Principal): string {
  switch (principal.kind) {
    case 'anonymous':
      return 'anonymous';
    case 'user':
      return principal.username;
    case 'robot':
      return principal.name;
  }
}

export function membershipIn(principal: Principal, org: string): Membership | null {
  return principal.kind === 'user' ? (principal.memberships.find((one) => one.org === org) ?? null) : null;
}
