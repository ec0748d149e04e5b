import { ApiError } from '../../http/errors/api-error.js';

/** What was looked for. Throws `notFound` when it is not there. */
export function orNotFound<T>(row: T | null): T {
  if (row === null) throw new ApiError('notFound');
  return row;
}
