import { type CredentialLimits, isUnlimited, limitsManageEverything } from './credential-limits.js';
import type { Principal } from './principal.js';

/**
 * - `edit`: what a user says about themselves.
 * - `administer`: whether they may log in, and whether they are an administrator.
 */
export const USER_ACTIONS = ['see', 'edit', 'administer', 'delete'] as const;
export type UserAction = (typeof USER_ACTIONS)[number];

export interface UserQuestion {
  readonly principal: Principal;
  readonly limits: CredentialLimits;
  readonly action: UserAction;
  /** Whose account, whether there is one or not. */
  readonly username: string;
}

/**
 * Who may do what with an account: administrators everything, a user with their own. To others there is none. To make
 * administrators or to disable a user needs a credential without limits.
 */
export function decideUser({ principal, limits, action, username }: UserQuestion): 'allow' | 'notFound' | 'denied' {
  if (principal.kind !== 'user') return 'notFound';
  const administers = principal.admin && limitsManageEverything(limits);
  if (!administers && principal.username !== username) return 'notFound';
  if (action === 'see' || action === 'edit') return 'allow';
  if (!isUnlimited(limits)) return 'denied';
  return administers || action === 'delete' ? 'allow' : 'denied';
}
