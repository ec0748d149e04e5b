import { abortReason } from './body-reader.js';
import { FreeRanges } from './free-ranges.js';
import { StoreBusy } from './storage-errors.js';

const RETRY_AFTER_SECONDS = 10;
/** Whole parts are at least as large. */
const LARGE_BYTES = 5 * 1024 * 1024;

interface Waiter {
  readonly bytes: number;
  readonly grant: (memory: Buffer) => void;
}

/** A piece of the budget's memory that is one transfer's until it releases it. */
export class Lease {
  #memory: Buffer;

  constructor(
    private readonly budget: MemoryBudget,
    memory: Buffer,
  ) {
    this.#memory = memory;
  }

  /** What is in it is anybody's; nobody may read or write there after `release`. */
  get memory(): Buffer {
    return this.#memory;
  }

  /** The content is lost. Never waits: whoever holds memory and waits for more could wait for another who does the same. */
  tryGrow(toBytes: number): boolean {
    const larger = this.budget.tryExchange(this.#memory, toBytes);
    if (larger) this.#memory = larger;
    return larger !== null;
  }

  /** Gives back all; more than once is as good as once. */
  release(): void {
    const memory = this.#memory;
    this.#memory = NOTHING;
    this.budget.giveBack(memory);
  }
}

/**
 * The memory that all transfers of this process share, given out first come, first served. It is one block, made at the
 * start and used again and again: a buffer made for each transfer stays after its end until the collector comes, and what
 * the C library then keeps between the pieces came to as much again (docs/design/storage.md).
 */
export class MemoryBudget {
  readonly #block: Buffer;
  readonly #ranges: FreeRanges;
  readonly #waiters: Waiter[] = [];

  constructor(
    readonly totalBytes: number,
    private readonly maxWaitMs = 20_000,
  ) {
    // The system gives memory that was never written to as it is written to: until then this takes none.
    this.#block = Buffer.allocUnsafeSlow(totalBytes);
    this.#ranges = new FreeRanges(totalBytes, LARGE_BYTES);
  }

  get freeBytes(): number {
    return this.#ranges.bytes;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  /** Throws `StoreBusy` when nothing became free in time, the signal's reason when it aborts first. */
  async take(bytes: number, signal: AbortSignal): Promise<Lease> {
    if (bytes > this.totalBytes) throw new RangeError(`${String(bytes)} bytes are more than the whole budget`);
    if (signal.aborted) throw abortReason(signal);
    return new Lease(this, this.#tryTake(bytes) ?? (await this.#wait(bytes, signal)));
  }

  /** Memory for what can do without it: `null` when there is none, or when others wait. */
  tryLease(bytes: number): Lease | null {
    const memory = this.#tryTake(bytes);
    return memory && new Lease(this, memory);
  }

  /** Another piece for this one, which may be a part of it; `null` when there is none. Used by `Lease`. */
  tryExchange(memory: Buffer, bytes: number): Buffer | null {
    if (this.#waiters.length > 0) return null;
    return this.#piece(this.#ranges.exchange(memory.byteOffset, memory.length, bytes), bytes);
  }

  /** Used by `Lease`. */
  giveBack(memory: Buffer): void {
    this.#ranges.give(memory.byteOffset, memory.length);
    this.#grantInTurn();
  }

  /** Never overtakes those who wait. */
  #tryTake(bytes: number): Buffer | null {
    return this.#waiters.length > 0 ? null : this.#piece(this.#ranges.take(bytes), bytes);
  }

  #piece(start: number | null, bytes: number): Buffer | null {
    return start === null ? null : this.#block.subarray(start, start + bytes);
  }

  #wait(bytes: number, signal: AbortSignal): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      };
      const giveUp = (reason: Error): void => {
        leave();
        // The one behind may want less than this one did.
        this.#grantInTurn();
        reject(reason);
      };
      const waiter: Waiter = {
        bytes,
        grant: (memory) => {
          leave();
          resolve(memory);
        },
      };
      const onAbort = (): void => {
        giveUp(abortReason(signal));
      };
      const timer = setTimeout(() => {
        giveUp(new StoreBusy(RETRY_AFTER_SECONDS));
      }, this.maxWaitMs);
      signal.addEventListener('abort', onAbort);
      this.#waiters.push(waiter);
    });
  }

  #grantInTurn(): void {
    for (let first = this.#waiters[0]; first; first = this.#waiters[0]) {
      const memory = this.#piece(this.#ranges.take(first.bytes), first.bytes);
      if (!memory) return;
      first.grant(memory);
    }
  }
}

const NOTHING = Buffer.alloc(0);
