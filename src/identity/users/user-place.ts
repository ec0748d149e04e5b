import type { UserPrincipal } from '../../access/principal.js';
import type { EventPlace } from '../../events/domain-event.js';

type Place = EventPlace & { readonly namespaceId: number };

/** Where an event of an account happened: it is its user's own affair, and that of administrators. */
export function placeOfUser({ username, namespaceId }: Pick<UserPrincipal, 'username' | 'namespaceId'>): Place {
  return { namespaceId, resource: `user:${username}` };
}
