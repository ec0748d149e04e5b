import { type CredentialLimits, limitsManageEverything } from './credential-limits.js';
import type { Principal } from './principal.js';

export interface SignUpQuestion {
  /** Whom the registry lets make accounts: its administrators, whoever has a code too, or everybody. */
  readonly signUp: 'admin' | 'invite' | 'open';
  readonly principal: Principal;
  readonly limits: CredentialLimits;
  /** Whether the caller came with a token for some repositories, which opens no account. */
  readonly isScoped: boolean;
  readonly hasInvitation: boolean;
}

/**
 * - `create`: an administrator makes an account for somebody.
 * - `signUp`: somebody makes one for themselves; whether the invitation is good is not decided here.
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
