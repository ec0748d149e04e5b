import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { AppConfig } from '../../config/config.js';
import { Allotment, type Holding, type Progress } from '../../fairness/allotment.js';
import { releaseMemory } from '../../fairness/release-memory.js';
import { whenClosed } from '../connections/when-closed.js';

const LOWEST_TOTAL = 64 * 1024 * 1024;
/** Whole manifests of the largest size that have room at least. */
const WHOLES = 16;
/** Up to here memory is held as bytes arrive; a larger body gets room for all of it, in turn. */
export const SMALL_BYTES = 64 * 1024;
const FIRST_BYTES = 4 * 1024;

/** Memory of all bodies of this process that are kept whole until they are read, by share. */
@Injectable()
export class BodyMemory {
  private readonly allotment: Allotment;

  constructor({ registry }: AppConfig) {
    const total = Math.max(LOWEST_TOTAL, WHOLES * registry.manifestMaxBytes);
    this.allotment = new Allotment({ resource: 'bodies', total });
  }

  /** Holds nothing yet, and nothing any more when the request has been answered. */
  open(request: Request): BodyBuffer {
    return new BodyBuffer(this.allotment, request);
  }

  /** For a body that something else keeps until the request has been answered. Throws `ShareExhausted`. */
  hold(request: Request, bytes: number): void {
    const holding = this.allotment.tryTake(request.context.share, bytes);
    if (!holding) throw this.allotment.exhausted();
    if (request.res)
      whenClosed(request.res, () => {
        holding.release();
      });
  }
}

/** A body that is kept whole. Its pieces are copied together: a client may send each byte in a piece of its own. */
export class BodyBuffer {
  progress: Progress | null = null;
  #buffer: Buffer = EMPTY;
  #size = 0;
  #holding: Holding | null = null;
  #isWhole = false;
  #isReleasing = false;
  #isKept = false;
  /** The request has been answered, or its client has left: what is granted from now on goes back at once. */
  #isOver = false;

  /** Made by `BodyMemory`. */
  constructor(
    private readonly allotment: Allotment,
    private readonly request: Request,
  ) {}

  /** Whether what was kept is gone, because the response was closed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get size(): number {
    return this.#size;
  }

  get content(): Buffer {
    return this.#buffer.length === this.#size ? this.#buffer : this.#buffer.subarray(0, this.#size);
  }

  /**
   * `null` when there is room for so many more bytes; else what to wait for before they are added, with the whole body in
   * view: that throws `ShareExhausted`.
   */
  reserve(bytes: number, wholeBytes: number, signal: AbortSignal): Promise<void> | null {
    const needed = this.#size + bytes;
    if (this.#isWhole || needed <= (this.#holding?.amount ?? 0)) return null;
    const small = needed === bytes ? bytes : Math.min(SMALL_BYTES, Math.max(FIRST_BYTES, 2 * needed));
    if (needed <= SMALL_BYTES && this.#tryHold(small)) return null;
    return this.#reserveWhole(Math.max(needed, wholeBytes), signal);
  }

  /** Bytes that room was reserved for. One that is alone is kept as it is. */
  add(chunk: Buffer): void {
    const size = this.#size + chunk.length;
    if (this.#size === 0) this.#buffer = chunk;
    else {
      if (this.#buffer.length < size || this.#isForeign) this.#enlarge(size);
      this.#buffer.set(chunk, this.#size);
    }
    this.#isForeign = this.#size === 0;
    this.#size = size;
  }

  /** A complete body is in use until `release`, also when its client has left. */
  keep(): void {
    this.#isKept = true;
  }

  /** More than once is as good as once. The content may still be used for a moment afterwards. */
  release(): void {
    this.#holding?.release();
    this.#holding = null;
    this.#buffer = EMPTY;
    this.#size = 0;
  }

  /** Whether the buffer is a chunk, behind which nothing may be written. */
  #isForeign = false;

  #enlarge(size: number): void {
    const limit = Math.max(size, this.#holding?.amount ?? 0);
    const buffer = Buffer.allocUnsafe(Math.min(limit, Math.max(FIRST_BYTES, 2 * size)));
    buffer.set(this.content);
    // Chunks are Node's own, and the first one may be small enough to be a part of its pool.
    if (!this.#isForeign) releaseMemory(this.#buffer);
    this.#buffer = buffer;
  }

  #tryHold(bytes: number): boolean {
    if (this.#holding) return this.#holding.tryGrow(bytes - this.#holding.amount);
    const holding = this.allotment.tryTake(this.request.context.share, bytes);
    if (holding) this.#begin(holding);
    return holding !== null;
  }

  #reserveWhole(bytes: number, signal: AbortSignal): Promise<void> | null {
    const { share } = this.request.context;
    const taken = this.allotment.tryTake(share, bytes);
    if (taken) this.#becomeWhole(taken);
    if (taken) return null;
    this.#watch(); // the client may leave while this waits
    return this.allotment.take(share, bytes, signal).then((holding) => {
      this.#becomeWhole(holding);
    });
  }

  #watch(): void {
    if (this.#isReleasing || !this.request.res) return;
    this.#isReleasing = true;
    whenClosed(this.request.res, () => {
      this.#isOver = true;
      if (!this.#isKept) this.release();
    });
  }

  #becomeWhole(holding: Holding): void {
    this.#holding?.release();
    this.#isWhole = true;
    this.#begin(holding);
  }

  #begin(holding: Holding): void {
    holding.progress = this.progress;
    this.#holding = holding;
    if (this.#isOver) this.release();
    else this.#watch();
  }
}

const EMPTY = Buffer.alloc(0);
