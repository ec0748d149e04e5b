/**
 * Bytes of parts after which their garbage is collected. A part of 8 MiB leaves some 120 KB behind, of which most lives as
 * long as its sending lasts and so gets old; V8 by itself would let 150 MB of that come together.
 */
const BYTES = 2 * 2 ** 30;

/** Collects what sent parts have left behind, where Node was started with `--expose-gc`. One for all uploads of a process. */
export class PartGarbage {
  #bytes = 0;

  constructor(
    private readonly collect: (() => void) | undefined = globalThis.gc &&
      (() => void globalThis.gc?.({ type: 'major', execution: 'async' })),
  ) {}

  /** A part of that many bytes has been sent. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < BYTES) return;
    this.#bytes = 0;
    this.collect?.();
  }
}
