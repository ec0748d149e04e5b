/** Roles in a repository, each with everything that the one before it has. */
export const ROLES = ['read', 'write', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const ACTIONS = ['pull', 'push', 'delete', 'manage'] as const;
export type Action = (typeof ACTIONS)[number];

export const ORG_ROLES = ['owner', 'admin', 'member'] as const;
export type OrgRole = (typeof ORG_ROLES)[number];

/** Whether the first role in an organization gives more than the second; anything is more than none. */
export function outranks(role: OrgRole, other: OrgRole | null): boolean {
  return other === null || ORG_ROLES.indexOf(role) < ORG_ROLES.indexOf(other);
}

export const ROLE_ACTIONS = {
  read: ['pull'],
  write: ['pull', 'push'],
  admin: ['pull', 'push', 'delete', 'manage'],
} as const satisfies Record<Role, readonly Action[]>;

/** The strongest of these; `null` when there is none. */
export function strongest(roles: readonly (Role | null)[]): Role | null {
  return ROLES.findLast((role) => roles.includes(role)) ?? null;
}
