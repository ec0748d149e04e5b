import { Allotment, type Holding, type Progress, ShareExhausted } from '../fairness/allotment.js';
import { NODE_SHARE, type Share } from '../fairness/share.js';
import { FreeRanges } from './free-ranges.js';
import { StoreBusy } from './storage-errors.js';

/** Whole parts are at least as large. */
const LARGE_BYTES = 5 * 1024 * 1024;
/** A namespace that is alone may have two thirds: many layers of its images are pushed at once. */
const GENEROSITY = 2;

/** A piece of the budget's memory that is one transfer's until it releases it. */
export class Lease {
  #memory: Buffer;

  constructor(
    private readonly budget: MemoryBudget,
    private readonly holding: Holding,
    memory: Buffer,
  ) {
    this.#memory = memory;
  }

  /** Its content is undefined at first; it must not be used after `release`. */
  get memory(): Buffer {
    return this.#memory;
  }

  /** How its transfer gets on; judged while others wait for memory. */
  set progress(progress: Progress | null) {
    this.holding.progress = progress;
  }

  /** The content is lost. Never waits: two holders that wait for more memory could wait for each other. */
  tryGrow(toBytes: number): boolean {
    const larger = this.budget.tryExchange(this.holding, this.#memory, toBytes);
    if (larger) this.#memory = larger;
    return larger !== null;
  }

  /** Gives back all; more than once is as good as once. */
  release(): void {
    const memory = this.#memory;
    this.#memory = NOTHING;
    this.budget.giveBack(this.holding, memory);
  }
}

/**
 * The memory that all transfers of this process share, by the shares of their tenants (docs/design/fairness.md). It is one
 * block, made at the start and used again and again: a buffer made for each transfer stays after its end until the
 * collector comes, and what the C library then keeps between the pieces came to as much again (docs/design/storage.md).
 */
export class MemoryBudget {
  readonly #block: Buffer;
  readonly #ranges: FreeRanges;
  readonly #allotment: Allotment;

  constructor(
    readonly totalBytes: number,
    patienceMs = 20_000,
  ) {
    // The system gives memory that was never written to as it is written to: until then this takes none.
    this.#block = Buffer.allocUnsafeSlow(totalBytes);
    this.#ranges = new FreeRanges(totalBytes, LARGE_BYTES);
    this.#allotment = new Allotment({
      resource: 'upload-memory',
      total: totalBytes,
      generosity: GENEROSITY,
      patienceMs,
    });
  }

  get freeBytes(): number {
    return this.#ranges.bytes;
  }

  get waiting(): number {
    return this.#allotment.waiting;
  }

  /** Throws `StoreBusy` when nothing became free in time, the signal's reason when it aborts first. */
  async take(bytes: number, signal: AbortSignal, share: Share = NODE_SHARE): Promise<Lease> {
    if (bytes > this.totalBytes) throw new RangeError(`${String(bytes)} bytes are more than the whole budget`);
    const piece = this.#pieceOf(bytes);
    try {
      return new Lease(this, await this.#allotment.take(share, bytes, signal, piece.cut), piece.memory);
    } catch (error) {
      throw error instanceof ShareExhausted ? new StoreBusy(error.retryAfterSeconds) : error;
    }
  }

  /** Memory for what can do without it: `null` when there is none, or when others wait. */
  tryLease(bytes: number, share: Share = NODE_SHARE): Lease | null {
    if (this.waiting > 0) return null;
    const piece = this.#pieceOf(bytes);
    const holding = this.#allotment.tryTake(share, bytes, piece.cut);
    return holding && new Lease(this, holding, piece.memory);
  }

  /**
   * Memory for the first bytes of what will want `later` bytes for all of them; `null` when it had better wait for these
   * at once, since many that hold a beginning and wait could leave nothing to wait for.
   */
  tryFirst(bytes: number, later: number, share: Share = NODE_SHARE): Lease | null {
    const isRoomy = this.freeBytes >= this.totalBytes / 2 && this.#allotment.hasRoom(share, bytes + 2 * later);
    return isRoomy ? this.tryLease(bytes, share) : null;
  }

  /** Another piece for this one, which may be a part of it; `null` when there is none. Used by `Lease`. */
  tryExchange(holding: Holding, memory: Buffer, bytes: number): Buffer | null {
    if (this.waiting > 0) return null;
    const piece: { start: number | null } = { start: null };
    const cut = (): boolean => {
      piece.start = this.#ranges.exchange(memory.byteOffset, memory.length, bytes);
      return piece.start !== null;
    };
    if (!holding.tryGrow(bytes - memory.length, cut) || piece.start === null) return null;
    return this.#block.subarray(piece.start, piece.start + bytes);
  }

  /** Used by `Lease`. */
  giveBack(holding: Holding, memory: Buffer): void {
    this.#ranges.give(memory.byteOffset, memory.length);
    holding.release();
  }

  #pieceOf(bytes: number): { readonly cut: () => boolean; readonly memory: Buffer } {
    const [block, ranges] = [this.#block, this.#ranges];
    let start: number | null = null;
    return {
      cut: () => (start = ranges.take(bytes)) !== null,
      get memory() {
        if (start === null) throw new Error('memory was given that was not cut');
        return block.subarray(start, start + bytes);
      },
    };
  }
}

const NOTHING = Buffer.alloc(0);
