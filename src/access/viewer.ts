import type { CredentialLimits } from './credential-limits.js';
import type { Principal } from './principal.js';

/** Who looks, and what the credential lets them see of it. */
export interface Viewer {
  readonly principal: Principal;
  readonly limits: CredentialLimits;
}
