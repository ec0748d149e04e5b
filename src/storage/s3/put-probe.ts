import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type Agent, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
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
export async function seePutsVerified(calls: S3Calls, agent: Agent, sign: Sign): Promise<boolean> {
  const key = epochKey(objectKeyOf(randomUUID()), 1);
  const right = randomBytes(BYTES);
  const wrong = Buffer.from(right.map((byte) => byte ^ 0xff));
  const sha256Hex = createHash('sha256').update(right).digest('hex');
  const request = await sign(key, { size: BYTES, sha256Hex, ttlSeconds: TTL_SECONDS });
  try {
    if (isTaken(await put(request, wrong, agent))) return false;
    if (!isTaken(await put(request, right, agent))) return false;
    if (isTaken(await put(request, wrong, agent))) return false;
    return (await calls.head(key))?.size === BYTES;
  } finally {
    await calls.delete([key]);
  }
}

function isTaken(status: number): boolean {
  return status >= 200 && status < 300;
}

/** The status; an answer that says nothing about the bytes throws. */
async function put({ url, headers }: SignedRequest, body: Buffer, agent: Agent): Promise<number> {
  const status = await statusOf(new URL(url), headers, body, agent).catch(() => null);
  if (status === null || status >= 500) {
    // No cause: a transport error may hold the URL.
    throw new StoreUnavailable('network', `the object store did not answer a signed PUT (${status ?? 'no reply'})`);
  }
  return status;
}

function statusOf(url: URL, headers: SignedRequest['headers'], body: Buffer, agent: Agent): Promise<number> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    send(url, { method: 'PUT', headers, agent, signal: AbortSignal.timeout(TIMEOUT_MS) }, (reply) => {
      reply.resume();
      resolve(reply.statusCode ?? 0);
    })
      .on('error', reject)
      .end(body);
  });
}
