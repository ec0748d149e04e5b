import { type CredentialLimits, limitsManageEverything } from './credential-limits.js';
import type { Principal } from './principal.js';

export interface SignUpQuestion {
  /** Who may create accounts: administrators, also holders of a code, or all. */
  readonly signUp: 'admin' | 'invite' | 'open';
  readonly principal: Principal;
  readonly limits: CredentialLimits;
  /** Whether the caller came with a token for some repositories, which opens no account. */
  readonly isScoped: boolean;
  readonly hasInvitation: boolean;
}

/**
 * - `create`: an administrator creates an account for another person.
 * - `signUp`: a person creates their own; whether the invitation is good is not decided here.
 */
export type SignUpDecision = 'create' | 'signUp' | 'challenge' | 'denied';

/** Who may make an account. */
export function decideSignUp(question: SignUpQuestion): SignUpDecision {
  const { signUp, principal, isScoped, hasInvitation } = question;
  if (makesAccountsForOthers(question)) return 'create';
  if (principal.kind === 'robot') return 'denied';
  if (signUp === 'open' || (signUp === 'invite' && hasInvitation)) return 'signUp';
  return principal.kind === 'anonymous' || isScoped ? 'challenge' : 'denied';
}

/** An administrator, with a credential that may manage everything. */
export function makesAccountsForOthers({
  principal,
  limits,
  isScoped,
}: Pick<SignUpQuestion, 'principal' | 'limits' | 'isScoped'>): boolean {
  return principal.kind === 'user' && principal.admin && limitsManageEverything(limits) && !isScoped;
}
