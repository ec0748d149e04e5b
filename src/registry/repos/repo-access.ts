import { type CredentialLimits, limitsReachNamespace } from '../../access/credential-limits.js';
import { type Grant, mayAct, mayEffectively, type RepositoryAccess, roleFrom } from '../../access/policy.js';
import { membershipIn, type Principal } from '../../access/principal.js';
import { ACTIONS } from '../../access/roles.js';
import type { CallerRights } from '../../access/caller.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { namespaceOf, type RepositoryName } from '../../oci/repository-name.js';

const NO_GRANTS: readonly Grant[] = [];

/** What a caller, with this credential, reaches of the repository of a name, whether it exists or not. */
export function repositoryAccess(
  principal: Principal,
  limits: CredentialLimits,
  name: RepositoryName,
  repository: RepositoryFact | null,
): RepositoryAccess {
  const namespaceId = repository ? repository.namespaceId : namespaceToBe(principal, namespaceOf(name));
  return {
    repository: repository?.path ?? name,
    visibility: repository?.visibility ?? 'private',
    role: roleFrom({ principal, namespaceId, grants: repository?.grants ?? NO_GRANTS }),
    limits,
  };
}

/** Whether the caller manages what is at a path by what it is in the namespace alone: a grant there is no standing. */
export function managesByStanding({ principal, limits }: CallerRights, path: RepositoryName): boolean {
  return mayEffectively('manage', repositoryAccess(principal, limits, path, null));
}

/** Whether the caller's credential does everything there that the namespace's owner may. */
export function holdsByStanding({ principal, limits }: CallerRights, path: RepositoryName): boolean {
  const access = repositoryAccess(principal, limits, path, null);
  return ACTIONS.every((action) => mayEffectively(action, access));
}

/** Whether the caller manages everything that is or was in a namespace by what it is there; a key must be for all of it. */
export function managesNamespace({ principal, limits }: CallerRights, namespace: string): boolean {
  const role = roleFrom({ principal, namespaceId: namespaceToBe(principal, namespace), grants: NO_GRANTS });
  const isInLimits = limits.actions === null || limits.actions.includes('manage');
  return isInLimits && limitsReachNamespace(limits, namespace) && mayAct('manage', { visibility: 'private', role });
}

/** The namespace that a repository would be in, where the caller has a role in it: others may not create one there. */
function namespaceToBe(principal: Principal, namespace: string): number | null {
  if (principal.kind !== 'user') return null;
  if (namespace === principal.username) return principal.namespaceId;
  return membershipIn(principal, namespace)?.namespaceId ?? null;
}
