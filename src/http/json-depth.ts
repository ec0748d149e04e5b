import type { NextFunction, Request } from 'express';
import { ApiError } from './api-error.js';

/** No body of the management API needs more than a handful. */
const MAX_DEPTH = 32;

/** After Express's JSON parser: class-transformer goes down one call a level and would overflow the stack. */
export function refuseDeepJson({ body }: Pick<Request, 'body'>, _response: unknown, next: NextFunction): void {
  if (isDeeperThan(body, MAX_DEPTH)) next(new ApiError('malformedRequest', 'the body is nested too deeply'));
  else next();
}

function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return limit === 0 || Object.values(value).some((item) => isDeeperThan(item, limit - 1));
}
