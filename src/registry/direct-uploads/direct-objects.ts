import { algorithmOf, type Digest } from '../../oci/digest.js';
import type { DirectUploads, PartSizes } from '../../storage/direct-uploads.js';
import { epochKey, type ObjectKey, objectKeyOf } from '../../storage/object-keys.js';
import type { DirectPlan } from './direct-plan.js';

/** The epoch that a direct upload begins with: later ones belong to readers, which write nothing. */
const PUT_EPOCH = 1;
/** No URL is good for longer; seconds. */
const MAX_URL_SECONDS = 3_600;

/** Where the one PUT of a direct upload goes. */
export function putKeyOf(uploadId: string): ObjectKey {
  return epochKey(objectKeyOf(uploadId), PUT_EPOCH);
}

/**
 * How long a URL is good for. A request that begins within it may go on for as long again before the row expires, and
 * with it goes what the request has written.
 */
export function urlSeconds(expirySeconds: number): number {
  return Math.min(Math.floor(expirySeconds / 2), MAX_URL_SECONDS);
}

/** One PUT can carry SHA-256 alone. */
export function fitsOnePut(direct: DirectUploads, digest: Digest, size: number): boolean {
  return algorithmOf(digest) === 'sha256' && size <= direct.maxPutBytes;
}

export function partSizesOf({ size, partBytes }: DirectPlan & { partBytes: number }): PartSizes {
  return { bytes: partBytes, count: Math.max(1, Math.ceil(size / partBytes)) };
}

/** Bytes of this part; `null` when the upload has none of this number. */
export function partSize(plan: DirectPlan & { partBytes: number }, number: number): number | null {
  const { bytes, count } = partSizesOf(plan);
  if (number < 1 || number > count) return null;
  return number === count ? plan.size - (count - 1) * bytes : bytes;
}

export function isInParts(plan: DirectPlan): plan is DirectPlan & { partBytes: number } {
  return plan.partBytes !== null;
}
