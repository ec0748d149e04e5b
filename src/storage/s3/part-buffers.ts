import type { Progress } from '../../fairness/allotment.js';
import type { Share } from '../../fairness/share.js';
import type { Lease, MemoryBudget } from '../memory-budget.js';

/** A body has as much before it gets the memory of its whole part. */
const FIRST_BYTES = 256 * 1024;

/** Whose memory it is, and how the client that fills it gets on. */
export interface BufferOwner {
  readonly share: Share;
  readonly progress: Progress;
}

/**
 * A transfer's memory: one part that fills, and, while the budget has room and no waiters, a second one, so
 * that the next part fills while the last one is sent.
 */
export class PartBuffers {
  #filling: Lease | null = null;
  #spare: Lease | null = null;
  #filled = 0;

  constructor(
    private readonly budget: MemoryBudget,
    private readonly owner: BufferOwner,
  ) {}

  /** Memory for the first bytes, or in turn for all of them; throws `StoreBusy`. */
  async open(bytes: number, signal: AbortSignal): Promise<void> {
    const { share } = this.owner;
    const first = bytes > FIRST_BYTES ? this.budget.tryFirst(FIRST_BYTES, bytes, share) : null;
    this.#filling = this.#watched(first ?? (await this.budget.take(bytes, signal, share)));
  }

  /** Goes on in a buffer of that size when the first bytes have come; waits in turn for it. */
  async extend(bytes: number, signal: AbortSignal): Promise<void> {
    const whole = await this.budget.take(bytes, signal, this.owner.share);
    whole.memory.set(this.content);
    this.#filling?.release();
    this.#filling = this.#watched(whole);
  }

  get isFull(): boolean {
    return this.#filled === this.#buffer.length;
  }

  get size(): number {
    return this.#buffer.length;
  }

  get content(): Buffer {
    return this.#buffer.subarray(0, this.#filled);
  }

  /** Copies what fits and returns how much that was. */
  add(chunk: Uint8Array): number {
    const bytes = Math.min(chunk.length, this.#buffer.length - this.#filled);
    this.#buffer.set(chunk.subarray(0, bytes), this.#filled);
    this.#filled += bytes;
    return bytes;
  }

  /** Goes on with an empty second buffer, and leaves the content of the first alone. False when there is none. */
  trySwap(bytes: number): boolean {
    if (this.#spare && (this.#spare.memory.length !== bytes || this.budget.waiting > 0)) {
      this.#spare.release();
      this.#spare = null;
    }
    const next = this.#spare ?? this.budget.tryLease(bytes, this.owner.share);
    if (!next) return false;
    this.#spare = this.#filling;
    this.#filling = this.#watched(next);
    this.#filled = 0;
    return true;
  }

  /** Goes on in the same memory, or in more when there is room; else the parts stay as small as they are. */
  clear(bytes: number): void {
    this.#filled = 0;
    if (bytes > this.#buffer.length) this.#filling?.tryGrow(bytes);
  }

  /** Others write there from now on: whatever was sending it must have ended. */
  release(): void {
    this.#filling?.release();
    this.#spare?.release();
    this.#filling = this.#spare = null;
  }

  #watched(lease: Lease): Lease {
    lease.progress = this.owner.progress;
    return lease;
  }

  get #buffer(): Buffer {
    return this.#filling?.memory ?? EMPTY;
  }
}

const EMPTY = Buffer.alloc(0);
