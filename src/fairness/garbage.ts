/**
 * Collects what work on many bytes has left behind, where Node was started with `--expose-gc`: what lives as long as a call
 * of the store or the database gets old, and V8 by itself would let 150 MB of that come together in a small heap.
 */
export class Garbage {
  #bytes = 0;

  /** `limit`: bytes after which it is collected. */
  constructor(
    private readonly limit: number,
    private readonly collect: (() => void) | undefined = globalThis.gc &&
      (() => void globalThis.gc?.({ type: 'major', execution: 'async' })),
  ) {}

  /** Work on that many bytes is done. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < this.limit) return;
    this.#bytes = 0;
    this.collect?.();
  }
}
