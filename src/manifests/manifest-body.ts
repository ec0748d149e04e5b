import type { Request } from 'express';
import { OciError } from '../oci/oci-error.js';

/** Milliseconds. 4 MiB in the whole time need 35 KB/s; a common manifest comes in one piece. */
export interface BodyPatience {
  /** For the next bytes. */
  readonly silence: number;
  /** For all of them. */
  readonly whole: number;
}

const PATIENCE: BodyPatience = { silence: 20_000, whole: 120_000 };

/**
 * Throws `manifestEncoded` for a body that would have to be decoded: whether the digest is of the bytes before or after
 * that, no two clients agree.
 */
export function refuseEncoding({ headers }: Request): void {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding.trim().toLowerCase() === 'identity') return;
  const answer = { headers: { 'Accept-Encoding': 'identity' } }; // RFC 9110, section 15.5.16
  throw new OciError('manifestEncoded', { contentEncoding: encoding.slice(0, 100) }, answer);
}

/**
 * The bytes of a pushed manifest, as they came. Throws `manifestTooLarge` as soon as the limit is passed, whether a
 * length was announced or not, and `manifestTooSlow`; the rest of a refused body is the error filter's to drain. Throws
 * what the guard throws when the caller may not push any more.
 */
export async function readManifestBody(request: Request, maxBytes: number, patience = PATIENCE): Promise<Buffer> {
  const bytes = await receive(request, maxBytes, patience);
  await request.context.authorization?.renew();
  return bytes;
}

function receive(request: Request, maxBytes: number, patience: BodyPatience): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) return Promise.reject(new OciError('manifestTooLarge', { maxBytes }));
  const { signal } = request.context;
  const begun = Date.now();
  return new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (outcome: () => void): void => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('error', fail);
      signal.removeEventListener('abort', onAbort);
      outcome();
    };
    const fail = (error: Error): void => {
      settle(() => {
        reject(error);
      });
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      chunks.push(chunk);
      timer.refresh();
      if (size > maxBytes) fail(new OciError('manifestTooLarge', { maxBytes }));
      else if (Date.now() - begun > patience.whole) fail(new OciError('manifestTooSlow'));
    };
    const onEnd = (): void => {
      settle(() => {
        resolve(Buffer.concat(chunks, size));
      });
    };
    const onAbort = (): void => {
      fail(new Error('the client left before its manifest was complete', { cause: signal.reason }));
    };
    const timer = setTimeout(() => {
      fail(new OciError('manifestTooSlow'));
    }, patience.silence);
    if (signal.aborted) onAbort();
    else {
      signal.addEventListener('abort', onAbort);
      request.on('data', onData).once('end', onEnd).once('error', fail);
    }
  });
}
