import { isUUID } from 'class-validator';
import { ApiError } from '../errors/api-error.js';
import type { ListQueryDto } from './list.dto.js';
import { keysetPage, type KeysetPage } from './list-reply.js';

/** A page of a list in the order of creation; `after` is made of microseconds, which a Date does not hold, and the id. */
export interface TimePage extends KeysetPage {
  readonly after: readonly [micros: number, id: string] | null;
}

/** Throws `malformedRequest` for another list's cursor. */
export function timePage(query: ListQueryDto): TimePage {
  const { limit, after } = keysetPage(query, ['number', 'string']);
  if (after === null) return { limit, after };
  const [micros, id] = after;
  if (!Number.isSafeInteger(micros) || Number(micros) < 0 || !isUUID(id)) {
    throw new ApiError('malformedRequest', 'the cursor is not one of this list');
  }
  return { limit, after: [Number(micros), String(id)] };
}

/** The position before the first entry. */
export const FROM_THE_BEGINNING = [0, '00000000-0000-0000-0000-000000000000'] as const;
