import type { CallerRights } from '../../../access/caller.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import { repositoryAccess } from '../../repos/repo-access.js';

/**
 * Whether the caller may know who pushes to a repository: those with a role in it, not those who may pull because it is
 * public.
 */
export function maySeePushers({ principal, limits }: CallerRights, repository: RepositoryFact): boolean {
  return repositoryAccess(principal, limits, repository.path, repository).role !== null;
}
