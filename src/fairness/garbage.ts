/**
 * Collects garbage after work on many bytes, if Node was started with `--expose-gc`. Objects that live as long as a call of
 * the store or the database get into the old generation, where V8 lets 150 MB accumulate in a small heap.
 */
export class Garbage {
  #bytes = 0;

  /** `limit`: bytes of work between two collections. */
  constructor(
    private readonly limit: number,
    private readonly collect: (() => void) | undefined = globalThis.gc &&
      (() => void globalThis.gc?.({ type: 'major', execution: 'async' })),
  ) {}

  /** Adds completed work. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < this.limit) return;
    this.#bytes = 0;
    this.collect?.();
  }
}
