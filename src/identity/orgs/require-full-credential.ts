import { limitsHoldNamespace } from '../../access/credential-limits.js';
import type { Viewer } from '../../access/viewer.js';
import { ApiError } from '../../http/errors/api-error.js';

/** Whoever came with a key cannot make others more than the key is. Throws `denied`. */
export function requireFullCredential({ limits }: Viewer, org: string): void {
  if (limitsHoldNamespace(limits, org)) return;
  throw new ApiError(
    'denied',
    'a key gives others no rights that it lacks: it needs every scope, in all of the namespace',
  );
}
