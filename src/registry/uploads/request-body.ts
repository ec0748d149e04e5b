import { IncomingMessage } from 'node:http';
import type { Authorization } from '../../http/guards/request-authorization.js';
import type { BodyBuffer } from '../../http/bodies/body-memory.js';
import { OciError } from '../../oci/oci-error.js';
import { releaseMemory } from '../../fairness/release-memory.js';

/** How often the rate is looked at, and for how many looks in a row it may be too low; milliseconds. */
const LOOK_MS = 5_000;
const SLOW_LOOKS = 3;
/** Bytes that the socket may be ahead of the reader, so that receiving, hashing and writing overlap. */
const READ_AHEAD = 256 * 1024;
/** And pieces: a client may send each byte in one of its own, which takes a hundred times its memory. */
const PIECES_AHEAD = 1_024;
const NEVER = new AbortController().signal;

/** The connection ended before the body did. There is no client for the answer; an upload keeps its offset. */
export class BodyAborted extends Error {
  override readonly name = 'BodyAborted';

  constructor() {
    super('the connection ended before the body');
  }
}

/**
 * A request's body, pulled by its reader: nothing parses bodies below /v2. Chunks are handed on as the socket
 * gave them, and the socket waits while the reader is busy. A chunk may be looked at until the next one is asked for:
 * then its memory is given back. While the reader is the one that waits, the client must keep a minimum rate
 * (`bodyTooSlow`, 408). Its end is told only to a caller who still may: the reader fails with the guard's refusal
 * otherwise. It is never destroyed here, so that a refusal can still be answered.
 */
export class RequestBody implements AsyncIterable<Buffer> {
  private readonly queue: Buffer[] = [];
  private queued = 0;
  private isComplete: boolean;
  /** The HTTP parser copies each chunk, so it is owned here; other streams may pass on shared memory. */
  private readonly isOwn: boolean;
  private isListening = false;
  private failure: Error | null = null;
  private waiting: PromiseWithResolvers<undefined> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private sinceLook = 0;
  private slowLooks = 0;
  private wasWaiting = false;

  constructor(
    private readonly request: IncomingMessage,
    private readonly minimumBytesPerSecond: number,
    /** Where the first bytes are kept together. */
    private readonly memory: BodyBuffer,
    private readonly authorization: Authorization | null = null,
  ) {
    this.isComplete = !announcesBody(request);
    this.isOwn = request instanceof IncomingMessage;
  }

  /** `Content-Length`, 0 without a body, `null` for a body of unknown length. */
  get declaredLength(): number | null {
    if (!announcesBody(this.request)) return 0;
    const length = this.request.headers['content-length'];
    return length === undefined ? null : Number(length);
  }

  /** Whether the last byte has been handed on. */
  get hasEnded(): boolean {
    return this.isComplete && this.queue.length === 0;
  }

  /**
   * The first bytes. Up to `limit` of them with `hasEnded` are the whole body; otherwise the rest is still to come.
   * A body whose announced length is above the limit is not begun. What comes after them stays in the socket until it is
   * asked for: many may wait for their turn to write. They wait for memory no longer than their client does.
   */
  async readFirst(limit: number, signal: AbortSignal = NEVER): Promise<Buffer> {
    if ((this.declaredLength ?? 0) > limit) return EMPTY;
    const { memory } = this;
    while (memory.size <= limit) {
      const chunk = await this.next();
      if (chunk === null) break;
      const wait = memory.reserve(chunk.length, memory.size + chunk.length, signal);
      if (wait) await wait.catch(asAborted(signal));
      const isKept = memory.size === 0;
      memory.add(chunk);
      if (this.isOwn && !isKept) releaseMemory(chunk);
    }
    if (!this.isComplete) this.request.pause();
    else if (memory.size > limit) await this.authorization?.renew(); // no read follows the last chunk
    // What was kept went with the client: the rest alone must not look like all of it.
    if (memory.isOver) throw new BodyAborted();
    memory.keep();
    return memory.content;
  }

  /** Receives and drops the rest, so that the connection can carry the next request. */
  discard(): void {
    if (this.isComplete) return;
    this.stop();
    this.request.resume();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    // The first bytes have been used before these are asked for.
    this.memory.release();
    try {
      for (let chunk = await this.next(); chunk !== null; chunk = await this.next()) {
        yield chunk;
        if (this.isOwn) releaseMemory(chunk);
      }
    } finally {
      this.stop();
    }
  }

  /** The next chunk, `null` after the last. */
  private async next(): Promise<Buffer | null> {
    for (;;) {
      const chunk = this.queue.shift();
      if (chunk) {
        this.queued -= chunk.length;
        if (this.queued < READ_AHEAD && this.queue.length < PIECES_AHEAD && !this.isComplete) this.request.resume();
        return chunk;
      }
      if (this.isComplete) {
        await this.authorization?.renew();
        return null;
      }
      if (this.failure) throw this.failure;
      this.listen();
      if (this.request.isPaused()) this.request.resume();
      this.waiting = Promise.withResolvers<undefined>();
      await this.waiting.promise;
    }
  }

  private listen(): void {
    if (this.isListening) return;
    this.isListening = true;
    const { request } = this;
    this.timer = setInterval(() => {
      this.look();
    }, LOOK_MS).unref();
    request.on('data', this.onData).on('end', this.onEnd).on('error', this.onGone).on('close', this.onGone);
    // Events from before the listeners are not repeated.
    if (request.readableEnded) queueMicrotask(this.onEnd);
    else if (request.destroyed) queueMicrotask(this.onGone);
  }

  /** What arrives from now on is kept by the request itself. */
  private stop(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
    if (!this.isListening || this.isComplete) return;
    this.isListening = false;
    this.request.pause();
    this.request.off('data', this.onData);
  }

  private readonly onData = (chunk: Buffer): void => {
    this.sinceLook += chunk.length;
    this.queued += chunk.length;
    this.queue.push(chunk);
    if (this.queued >= READ_AHEAD || this.queue.length >= PIECES_AHEAD) this.request.pause();
    this.wake();
  };

  private readonly onEnd = (): void => {
    this.isComplete = true;
    this.stop();
    this.wake();
  };

  private readonly onGone = (): void => {
    if (!this.isComplete) this.fail(new BodyAborted());
  };

  private look(): void {
    const isWaiting = this.waiting !== null;
    const isSlow = isWaiting && this.wasWaiting && this.sinceLook < (this.minimumBytesPerSecond * LOOK_MS) / 1000;
    this.slowLooks = isSlow ? this.slowLooks + 1 : 0;
    this.sinceLook = 0;
    this.wasWaiting = isWaiting;
    if (this.slowLooks >= SLOW_LOOKS) this.fail(new OciError('bodyTooSlow'));
  }

  /** Bytes received by then are dropped: a request that fails counts none of them. */
  private fail(failure: Error): void {
    this.failure ??= failure;
    this.stop();
    const unread = this.queue.splice(0);
    this.queued = 0;
    if (this.isOwn) unread.forEach(releaseMemory);
    this.wake();
  }

  private wake(): void {
    this.waiting?.resolve(undefined);
    this.waiting = null;
  }
}

const EMPTY = Buffer.alloc(0);

function asAborted(signal: AbortSignal): (error: unknown) => never {
  return (error) => {
    throw signal.aborted ? new BodyAborted() : error;
  };
}

function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
