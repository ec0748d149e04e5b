import { ApiError } from '../../../http/errors/api-error.js';
import type { Position } from '../../../http/paging/list-reply.js';
import { type Digest, isDigest } from '../../../oci/digest.js';

type Value = Position[number] | undefined;

// The values of a cursor are the client's to send back: they could be anything, and the database refuses some of it.

export function cursorInteger(value: Value): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw anotherList();
}

export function cursorDigest(value: Value): Digest {
  if (typeof value === 'string' && isDigest(value)) return value;
  throw anotherList();
}

function anotherList(): ApiError {
  return new ApiError('malformedRequest', 'the cursor is not one of this list');
}
