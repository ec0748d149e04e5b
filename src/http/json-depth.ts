import { isDeeperThan } from '../oci/json-document.js';
import { ApiError } from './api-error.js';

/** No body of the management API needs more than a handful. */
const MAX_DEPTH = 32;

/**
 * For Express's JSON parser, before it parses: class-transformer goes down one call a level and overflows the stack.
 * Throws `malformedRequest`.
 */
export function refuseDeepJson(_request: unknown, _response: unknown, body: Buffer): void {
  if (isDeeperThan(body, MAX_DEPTH)) throw new ApiError('malformedRequest', 'the body is nested too deeply');
}
