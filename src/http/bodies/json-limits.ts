import type { NextFunction, Request } from 'express';
import { ApiError } from '../errors/api-error.js';

/** No body of the management API needs more than a handful of levels, nor a list as its whole. */
const MAX_DEPTH = 32;
const MAX_FIELDS = 100;
const MAX_VALUES = 5_000;

/**
 * After Express's JSON parser and before authentication: class-transformer goes down one call a level and
 * would overflow the stack, class-validator takes the square of the number of unknown fields (minutes for 1 MB), and
 * both judge each entry of a list. Nor does text come in that no table takes.
 */
export function refuseCostlyJson({ body }: Pick<Request, 'body'>, _response: unknown, next: NextFunction): void {
  if (Array.isArray(body)) next(new ApiError('malformedRequest', 'the body must be an object'));
  else if (valuesIn(body, MAX_DEPTH) > MAX_VALUES)
    next(new ApiError('malformedRequest', 'the body has too many parts'));
  else if (!isWellFormed(body)) next(new ApiError('malformedRequest', 'the body has text with half a surrogate pair'));
  else next();
}

/** Before the parsers: Express's own read all that was announced, gigabytes too, and refuse it then. `limit` in bytes. */
export function refuseLargeBody(
  limit: number,
): (request: Pick<Request, 'headers'>, response: unknown, next: NextFunction) => void {
  return ({ headers }, _response, next) => {
    if (Number(headers['content-length'] ?? 0) > limit) next(new ApiError('bodyTooLarge'));
    else next();
  };
}

/** After the parsers: a body that none of them took is of an unsupported type. */
export function refuseUnreadBody(
  { body, headers }: Pick<Request, 'body' | 'headers'>,
  _response: unknown,
  next: NextFunction,
): void {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (hasBody && body === undefined) next(new ApiError('unsupportedMediaType', 'send it as application/json'));
  else next();
}

/** Whether all of its text can be stored: JSON can write half a character, which UTF-8 and the database cannot. */
function isWellFormed(document: unknown): boolean {
  if (typeof document === 'string') return document.isWellFormed();
  if (typeof document !== 'object' || document === null) return true;
  return Object.entries(document).every(([name, value]) => name.isWellFormed() && isWellFormed(value));
}

/** How many values a document has; `Infinity` for one that is too deep or too wide. */
function valuesIn(document: unknown, levels: number): number {
  if (typeof document !== 'object' || document === null) return 1;
  const items: unknown[] = Object.values(document);
  if (levels === 0 || (!Array.isArray(document) && items.length > MAX_FIELDS)) return Infinity;
  return items.reduce<number>((sum, item) => (sum > MAX_VALUES ? sum : sum + valuesIn(item, levels - 1)), 1);
}
