import type { NextFunction, Request } from 'express';
import { ApiError } from './api-error.js';

/** No body of the management API needs more than a handful. */
const MAX_DEPTH = 32;
const MAX_FIELDS = 100;

/**
 * After Express's JSON parser and before anybody is authenticated: class-transformer goes down one call a level and
 * would overflow the stack, and class-validator takes the square of the number of unknown fields (minutes for 1 MB).
 */
export function refuseCostlyJson({ body }: Pick<Request, 'body'>, _response: unknown, next: NextFunction): void {
  if (isCostly(body, MAX_DEPTH)) next(new ApiError('malformedRequest', 'the body has too many fields or levels'));
  else next();
}

function isCostly(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const items = Object.values(value);
  const hasTooMany = !Array.isArray(value) && items.length > MAX_FIELDS;
  return levels === 0 || hasTooMany || items.some((item) => isCostly(item, levels - 1));
}
