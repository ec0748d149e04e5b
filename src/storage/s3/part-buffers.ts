import type { Lease, MemoryBudget } from '../memory-budget.js';

/**
 * A transfer's memory: one part that fills, and, while the budget has room and nobody waits for it, a second one, so
 * that the next part fills while the last one is sent.
 */
export class PartBuffers {
  #filling: Lease | null = null;
  #spare: Lease | null = null;
  #filled = 0;

  constructor(private readonly budget: MemoryBudget) {}

  /** Waits in turn for the first buffer; throws `StoreBusy`. */
  async open(bytes: number, signal: AbortSignal): Promise<void> {
    this.#filling = await this.budget.take(bytes, signal);
  }

  get isFull(): boolean {
    return this.#filled === this.#buffer.length;
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
    const next = this.#spare ?? this.budget.tryLease(bytes);
    if (!next) return false;
    this.#spare = this.#filling;
    this.#filling = next;
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

  get #buffer(): Buffer {
    return this.#filling?.memory ?? EMPTY;
  }
}

const EMPTY = Buffer.alloc(0);
