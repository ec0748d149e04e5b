import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { SignedBytes, SignedRequest } from '../direct-uploads.js';
import { epochKey, type ObjectKey, objectKeyOf } from '../object-keys.js';
import { StoreUnavailable } from '../storage-errors.js';
import type { S3Calls } from './s3-calls.js';

const BYTES = 64;
const TIMEOUT_MS = 20_000;
const TTL_SECONDS = 60;

type Sign = (key: ObjectKey, bytes: SignedBytes) => Promise<SignedRequest>;

/**
 * Tries on a small object of its own whether the store refuses a signed PUT with other bytes of the same length, also
 * over an object that is there, and takes the right ones. A store that does not is not trusted with a digest.
 */
export async function seePutsVerified(calls: S3Calls, sign: Sign): Promise<boolean> {
  const key = epochKey(objectKeyOf(randomUUID()), 1);
  const right = randomBytes(BYTES);
  const wrong = Buffer.from(right.map((byte) => byte ^ 0xff));
  const sha256Hex = createHash('sha256').update(right).digest('hex');
  const request = await sign(key, { size: BYTES, sha256Hex, ttlSeconds: TTL_SECONDS });
  try {
    if (isTaken(await put(request, wrong))) return false;
    if (!isTaken(await put(request, right))) return false;
    if (isTaken(await put(request, wrong))) return false;
    return (await calls.head(key))?.size === BYTES;
  } finally {
    await calls.delete([key]);
  }
}

function isTaken(status: number): boolean {
  return status >= 200 && status < 300;
}

/** The status; an answer that says nothing about the bytes throws. */
async function put({ url, headers }: SignedRequest, body: Buffer): Promise<number> {
  const { 'content-length': _, ...sent } = headers; // fetch counts for itself
  const reply = await fetch(url, {
    method: 'PUT',
    headers: sent,
    body: new Uint8Array(body),
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => null);
  await reply?.body?.cancel();
  if (!reply || reply.status >= 500) {
    // No cause: a transport error may hold the URL.
    throw new StoreUnavailable(
      'network',
      `the object store did not answer a signed PUT (${reply?.status ?? 'no reply'})`,
    );
  }
  return reply.status;
}
