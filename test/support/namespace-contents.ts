import { NamespaceReposService } from '../../src/registry/repos/namespace-repos.service.js';
import { Repo } from '../../src/registry/repos/repo.entity.js';
import { ReposRepository } from '../../src/registry/repos/repos.repository.js';
import type { EmptyNamespace } from '../../src/identity/users/namespaces/namespace-contents.js';
import type { ContentServices } from './content-services.js';

const NOBODY = { principal: 'user:1', credential: 'password', address: null };

/** As a DELETE without `force`: a namespace with repositories is kept. */
export function keepingRepositories(services: ContentServices): EmptyNamespace {
  const rows = new ReposRepository(services.repository(Repo));
  const contents = new NamespaceReposService(rows, services.events);
  return (tx, namespace) => contents.removeAll(tx, { namespace, confirmed: null, actor: NOBODY });
}
