/** Bytes a second below which a client that others wait for is too slow; an honest slow line has more. */
const STALLED_RATE = 16 * 1024;
/** Milliseconds over which it is judged. */
const WINDOW_MS = 10_000;

/** How fast a client takes or gives bytes while its request waits for nothing else. */
export class ClientPace {
  #since: number;
  #bytes = 0;
  #wasSlow = false;
  #isPaused = false;

  constructor(private readonly now: () => number = () => performance.now()) {
    this.#since = now();
  }

  moved(bytes: number): void {
    const elapsed = this.now() - this.#since;
    this.#bytes += bytes;
    if (elapsed < WINDOW_MS) return;
    this.#begin(isSlow(this.#bytes, elapsed));
  }

  /** The request waits for something else than its client. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#begin(false);
  }

  get isStalled(): boolean {
    if (this.#isPaused) return false;
    const elapsed = this.now() - this.#since;
    return elapsed < WINDOW_MS ? this.#wasSlow : isSlow(this.#bytes, elapsed);
  }

  #begin(wasSlow: boolean): void {
    this.#since = this.now();
    this.#bytes = 0;
    this.#wasSlow = wasSlow;
  }
}

function isSlow(bytes: number, milliseconds: number): boolean {
  return bytes < (STALLED_RATE * milliseconds) / 1000;
}
