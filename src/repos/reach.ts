import type { CredentialLimits } from '../access/credential-limits.js';
import { type Reach, roleFrom } from '../access/policy.js';
import type { Principal } from '../access/principal.js';
import type { RepositoryFact } from '../http/request-context.js';
import { namespaceOf, type RepositoryName } from '../oci/repository-name.js';

/** What a caller, with this credential, reaches of the repository of a name, whether it exists or not. */
export function reachOf(
  principal: Principal,
  limits: CredentialLimits,
  name: RepositoryName,
  repository: RepositoryFact | null,
): Reach {
  const namespaceId = repository ? repository.namespaceId : namespaceToBe(principal, name);
  return {
    repository: repository?.path ?? name,
    visibility: repository?.visibility ?? 'private',
    role: roleFrom({ principal, namespaceId }),
    limits,
  };
}

/** The namespace that a repository would be in, where the caller owns it: nobody else may make one there. */
function namespaceToBe(principal: Principal, name: RepositoryName): number | null {
  return principal.kind === 'user' && namespaceOf(name) === principal.username ? principal.namespaceId : null;
}
