import type { TokenScopes } from '../oci/token-scopes.js';
import type { CredentialLimits } from './credential-limits.js';

/** The credential that a request came with, as far as later steps need it; never the secret itself. */
export interface Credential {
  /** Such as `anonymous`, `password`, `key:<id>`: what logs, uploads and audit say. */
  readonly label: string;
  /** Seconds since the epoch; `null` for credentials that do not expire within a request. */
  readonly expiresAt: number | null;
  /** What it may do of its principal's rights. */
  readonly limits: CredentialLimits;
  /** What its token was asked for; `null` for credentials without a scope: Basic, and tokens of the JSON login. */
  readonly scopes: TokenScopes | null;
}
