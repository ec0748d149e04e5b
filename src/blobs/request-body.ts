import type { IncomingMessage } from 'node:http';
import { OciError } from '../oci/oci-error.js';

/** How often the rate is looked at, and for how many looks in a row it may be too low; milliseconds. */
const LOOK_MS = 5_000;
const SLOW_LOOKS = 3;

/** What takes the bytes; a promise means: nothing more before it resolves. */
export type Consumer = (chunk: Buffer) => Promise<unknown> | undefined;

/** The connection ended before the body did. The answer reaches nobody; an upload stays where it was. */
export class BodyAborted extends Error {
  override readonly name = 'BodyAborted';
}

/**
 * A request's body, read by whoever needs it first: nothing parses bodies below /v2. Chunks are handed on as the
 * socket gave them, and the socket waits while the consumer does. While the node is the one that waits, the client
 * must keep a minimum rate (`bodyTooSlow`, 408).
 */
export class RequestBody {
  private consumer: Consumer | null = null;
  private done: PromiseWithResolvers<undefined> | null = null;
  /** What the consumer has not finished yet: `end` may come before it has. */
  private pending: Promise<unknown> | undefined;
  private failure: unknown = null;
  private isComplete: boolean;
  private sinceLook = 0;
  private slowLooks = 0;
  private hasWaited = false;

  constructor(
    private readonly request: IncomingMessage,
    private readonly minimumBytesPerSecond: number,
  ) {
    this.isComplete = !announcesBody(request);
  }

  /** `Content-Length`, 0 without a body, `null` for a body of unknown length. */
  get declaredLength(): number | null {
    if (!announcesBody(this.request)) return 0;
    const length = this.request.headers['content-length'];
    return length === undefined ? null : Number(length);
  }

  /** The first bytes, up to the whole body: more than `limit` of them mean that the rest is still to come. */
  async readFirst(limit: number): Promise<Buffer> {
    if (this.isComplete || (this.declaredLength ?? 0) > limit) return EMPTY;
    const chunks: Buffer[] = [];
    let length = 0;
    await this.pump(
      (chunk) => {
        chunks.push(chunk);
        length += chunk.length;
        return undefined;
      },
      () => length > limit,
    );
    return chunks.length === 1 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks, length);
  }

  get hasEnded(): boolean {
    return this.isComplete;
  }

  /** Hands every remaining byte to the consumer, until the end or until `isEnough`. Its failure ends the reading. */
  async pump(consumer: Consumer, isEnough: () => boolean = () => false): Promise<void> {
    if (this.isComplete) return;
    const { request } = this;
    const done = (this.done = Promise.withResolvers<undefined>());
    this.consumer = (chunk) => {
      const wait = consumer(chunk);
      if (isEnough()) done.resolve(undefined);
      return wait;
    };
    const timer = setInterval(() => { this.look(); }, LOOK_MS).unref();
    request.on('data', this.onData).on('end', this.onEnd).on('error', this.onGone).on('close', this.onGone);
    if (request.readableEnded) this.onEnd();
    else if (request.destroyed) this.onGone();
    else request.resume();
    try {
      await done.promise;
      await this.pending;
    } finally {
      clearInterval(timer);
      request.pause();
      request.off('data', this.onData).off('end', this.onEnd).off('error', this.onGone).off('close', this.onGone);
      // A request that breaks later must not become an uncaught error.
      request.on('error', ignore);
      this.consumer = null;
    }
  }

  private readonly onData = (chunk: Buffer): void => {
    this.sinceLook += chunk.length;
    if (this.failure !== null) return;
    try {
      const wait = this.consumer?.(chunk);
      if (wait) this.holdUntil(wait);
    } catch (error) {
      this.fail(error);
    }
  };

  private readonly onEnd = (): void => {
    this.isComplete = true;
    this.done?.resolve(undefined);
  };

  private readonly onGone = (): void => {
    if (!this.isComplete) this.fail(new BodyAborted('the connection ended before the body'));
  };

  private holdUntil(wait: Promise<unknown>): void {
    this.hasWaited = true;
    this.pending = wait;
    this.request.pause();
    wait.then(
      () => {
        if (this.consumer) this.request.resume();
      },
      (error: unknown) => { this.fail(error); },
    );
  }

  private look(): void {
    const isSlow = !this.hasWaited && this.sinceLook < (this.minimumBytesPerSecond * LOOK_MS) / 1000;
    this.slowLooks = isSlow ? this.slowLooks + 1 : 0;
    this.sinceLook = 0;
    this.hasWaited = this.request.isPaused();
    if (this.slowLooks >= SLOW_LOOKS) this.fail(new OciError('bodyTooSlow'));
  }

  private fail(error: unknown): void {
    this.failure ??= error;
    this.done?.reject(this.failure);
  }
}

const EMPTY = Buffer.alloc(0);
const ignore = (): void => undefined;

function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
