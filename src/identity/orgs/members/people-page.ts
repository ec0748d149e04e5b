import { ApiError } from '../../../http/errors/api-error.js';
import type { KeysetPage } from '../../../http/paging/list-reply.js';
import type { PeoplePage } from './org-members.repository.js';

/** Lists of people go by the ids of their accounts, which the index has; the cursor is untrusted. */
export function peoplePage({ after, limit }: KeysetPage): PeoplePage {
  const [id = 0] = after ?? [];
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) {
    throw new ApiError('malformedRequest', 'the cursor is not one of this list');
  }
  return { after: id, limit };
}
