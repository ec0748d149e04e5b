import { abortReason } from './body-reader.js';
import { StoreBusy } from './storage-errors.js';

const RETRY_AFTER_SECONDS = 10;

interface Waiter {
  readonly bytes: number;
  readonly grant: () => void;
}

/** Bytes of memory that are one transfer's until it releases them. */
export class Lease {
  #bytes: number;

  constructor(
    private readonly budget: MemoryBudget,
    bytes: number,
  ) {
    this.#bytes = bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Never waits: whoever holds memory and waits for more could wait for another who does the same. */
  tryGrow(toBytes: number): boolean {
    if (!this.budget.tryTake(toBytes - this.#bytes)) return false;
    this.#bytes = toBytes;
    return true;
  }

  /** Gives back all; more than once is as good as once. */
  release(): void {
    const bytes = this.#bytes;
    this.#bytes = 0;
    this.budget.giveBack(bytes);
  }
}

/** The memory that all transfers of this process share, given out first come, first served. */
export class MemoryBudget {
  #free: number;
  readonly #waiters: Waiter[] = [];

  constructor(
    readonly totalBytes: number,
    private readonly maxWaitMs = 20_000,
  ) {
    this.#free = totalBytes;
  }

  get freeBytes(): number {
    return this.#free;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  /** Throws `StoreBusy` when nothing became free in time, the signal's reason when it aborts first. */
  async take(bytes: number, signal: AbortSignal): Promise<Lease> {
    if (bytes > this.totalBytes) throw new RangeError(`${String(bytes)} bytes are more than the whole budget`);
    if (signal.aborted) throw abortReason(signal);
    if (!this.tryTake(bytes)) await this.#wait(bytes, signal);
    return new Lease(this, bytes);
  }

  /** Memory for what can do without it: `null` when there is none, or when others wait. */
  tryLease(bytes: number): Lease | null {
    return this.tryTake(bytes) ? new Lease(this, bytes) : null;
  }

  /** Never overtakes those who wait. Used by `Lease`. */
  tryTake(bytes: number): boolean {
    if (this.#waiters.length > 0 || bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }

  /** Used by `Lease`. */
  giveBack(bytes: number): void {
    this.#free += bytes;
    this.#grantInTurn();
  }

  #wait(bytes: number, signal: AbortSignal): Promise<void> {
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
        grant: () => {
          leave();
          resolve();
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
    for (let first = this.#waiters[0]; first && first.bytes <= this.#free; first = this.#waiters[0]) {
      this.#free -= first.bytes;
      first.grant();
    }
  }
}
