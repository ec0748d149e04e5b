import { limitsHoldNamespace } from '../../access/credential-limits.js';
import type { CallerRights } from '../../access/caller.js';
import { ApiError } from '../../http/errors/api-error.js';

/** A key cannot give others more rights than it has. Throws `denied`. */
export function requireFullCredential({ limits }: CallerRights, org: string): void {
  if (limitsHoldNamespace(limits, org)) return;
  throw new ApiError(
    'denied',
    'a key gives others no rights that it lacks: it needs every scope, in all of the namespace',
  );
}
