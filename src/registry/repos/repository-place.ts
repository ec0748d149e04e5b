import type { EventPlace, RecordedEvent } from '../../events/domain-event.js';
import type { RepositoryFact } from '../../access/repository-fact.js';

type Place = EventPlace & Required<Pick<RecordedEvent, 'repository'>>;

/** Where an event of a repository happened, or of a part of it, such as `:v1`. */
export function placeOf(
  { id, path, namespaceId }: Pick<RepositoryFact, 'id' | 'path' | 'namespaceId'>,
  part = '',
): Place {
  return { namespaceId, resource: `repo:${path}${part}`, repository: { id, path } };
}
