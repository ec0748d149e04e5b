import type { Request } from 'express';
import { ClientPace } from '../../fairness/client-pace.js';
import type { BodyBuffer } from '../../http/bodies/body-memory.js';
import { OciError } from '../../oci/oci-error.js';

/** Milliseconds. 4 MiB in the whole time need 35 KB/s; a common manifest comes in one piece. */
export interface BodyPatience {
  /** For the next bytes. */
  readonly idle: number;
  /** For all of them. */
  readonly whole: number;
}

const PATIENCE: BodyPatience = { idle: 20_000, whole: 120_000 };

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
 * The bytes of a pushed manifest, as they came, in memory that is the request's share until the caller releases it. Throws
 * `manifestTooLarge` as soon as the limit is passed, whether a length was announced or not, `manifestTooSlow` and
 * `ShareExhausted`; the rest of a refused body is the error filter's to drain. Throws what the guard throws when the
 * caller may not push any more.
 */
export async function readManifestBody(
  request: Request,
  buffer: BodyBuffer,
  maxBytes: number,
  patience = PATIENCE,
): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) throw new OciError('manifestTooLarge', { maxBytes });
  const reading = new ManifestReading(request, buffer, announced || maxBytes, maxBytes, patience);
  const bytes = await reading.done;
  await request.context.authorization?.renew();
  return bytes;
}

/** One body on its way in. */
class ManifestReading {
  private readonly outcome = Promise.withResolvers<Buffer>();
  private readonly begun = Date.now();
  private readonly pace = new ClientPace();
  private readonly timer: NodeJS.Timeout;
  private isWaiting = false;

  constructor(
    private readonly request: Request,
    private readonly buffer: BodyBuffer,
    private readonly wholeBytes: number,
    private readonly maxBytes: number,
    private readonly patience: BodyPatience,
  ) {
    buffer.progress = { isStalled: () => this.pace.isStalled, end: this.tooSlow };
    this.timer = setTimeout(this.onIdle, patience.idle);
    const { signal } = request.context;
    if (signal.aborted) this.onAbort();
    else {
      signal.addEventListener('abort', this.onAbort);
      request.on('data', this.onData).once('end', this.onEnd).once('error', this.fail);
    }
  }

  get done(): Promise<Buffer> {
    return this.outcome.promise;
  }

  private readonly onData = (chunk: Buffer): void => {
    this.timer.refresh();
    this.pace.moved(chunk.length);
    const { buffer, request, maxBytes } = this;
    if (buffer.size + chunk.length > maxBytes) this.fail(new OciError('manifestTooLarge', { maxBytes }));
    else if (Date.now() - this.begun > this.patience.whole) this.tooSlow();
    else {
      try {
        const wait = buffer.reserve(chunk.length, this.wholeBytes, request.context.signal);
        if (wait) this.addAfter(wait, chunk).catch(this.fail);
        else buffer.add(chunk);
      } catch (error) {
        this.fail(error as Error);
      }
    }
  };

  /** The socket waits, too. */
  private async addAfter(wait: Promise<void>, chunk: Buffer): Promise<void> {
    const { buffer, request, pace } = this;
    request.pause();
    pace.pause();
    this.isWaiting = true;
    await wait;
    this.isWaiting = false;
    buffer.add(chunk);
    pace.resume();
    this.timer.refresh();
    request.resume();
  }

  private readonly onEnd = (): void => {
    this.settle();
    this.buffer.keep();
    this.outcome.resolve(this.buffer.content);
  };

  private readonly onIdle = (): void => {
    if (this.isWaiting) this.timer.refresh();
    else this.tooSlow();
  };

  private readonly tooSlow = (): void => {
    this.fail(new OciError('manifestTooSlow'));
  };

  private readonly onAbort = (): void => {
    const { signal } = this.request.context;
    this.fail(new Error('the client left before its manifest was complete', { cause: signal.reason }));
  };

  private readonly fail = (error: Error): void => {
    this.settle();
    this.outcome.reject(error);
  };

  private settle(): void {
    const { request } = this;
    clearTimeout(this.timer);
    request.off('data', this.onData).off('end', this.onEnd).off('error', this.fail);
    request.context.signal.removeEventListener('abort', this.onAbort);
  }
}
