import type { Digest } from '../../../oci/digest.js';
import { etagMatches } from '../../../oci/etag.js';

/** `If-Match` and `If-None-Match` of a push (RFC 9110, section 13): a compare-and-swap of the tags that it moves. */
export interface TagCondition {
  readonly ifMatch: string | null;
  readonly ifNoneMatch: string | null;
}

/** Whether a tag that points to `current` may be moved; `null` is a tag that does not exist. */
export function mayMove({ ifMatch, ifNoneMatch }: TagCondition, current: Digest | null): boolean {
  if (ifMatch !== null && !etagMatches(ifMatch, current)) return false;
  return ifNoneMatch === null || !etagMatches(ifNoneMatch, current);
}
