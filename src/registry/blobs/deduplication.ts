import type { AppConfig } from '../../config/config.js';
import type { RepositoryFact } from '../../access/repository-fact.js';

/** Within what equal bytes are stored once: the whole registry, or a namespace (`DEDUPLICATE`). */
export function domainOf({ namespaceId }: Pick<RepositoryFact, 'namespaceId'>, { storage }: AppConfig): string {
  return storage.deduplicate === 'global' ? '*' : String(namespaceId);
}
