interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Which parts of a block of memory are free. Large pieces are cut from its beginning and small ones from its end, so
 * that a few small ones do not break up the room for large ones, and a block that is hardly used is touched at two places.
 */
export class FreeRanges {
  /** By address; two of them never touch. */
  #ranges: readonly Range[];

  constructor(
    totalBytes: number,
    /** Pieces below this are small. */
    private readonly largeBytes: number,
  ) {
    this.#ranges = totalBytes > 0 ? [{ start: 0, end: totalBytes }] : [];
  }

  get bytes(): number {
    return this.#ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** Where the piece begins; `null` when no free range is long enough. */
  take(bytes: number): number | null {
    const fits = ({ start, end }: Range): boolean => end - start >= bytes;
    const isLarge = bytes >= this.largeBytes;
    const at = isLarge ? this.#ranges.findIndex(fits) : this.#ranges.findLastIndex(fits);
    const range = this.#ranges[at];
    if (!range) return null;
    const start = isLarge ? range.start : range.end - bytes;
    const rest = isLarge ? { start: start + bytes, end: range.end } : { start: range.start, end: start };
    this.#ranges = this.#ranges.toSpliced(at, 1, ...(rest.end > rest.start ? [rest] : []));
    return start;
  }

  /** Where another piece begins that may lie in the place of this one; when there is none (`null`), this one stays. */
  exchange(start: number, bytes: number, toBytes: number): number | null {
    const before = this.#ranges;
    this.give(start, bytes);
    const other = this.take(toBytes);
    if (other === null) this.#ranges = before;
    return other;
  }

  /** Takes back a piece that `take` gave. */
  give(start: number, bytes: number): void {
    if (bytes === 0) return;
    const end = start + bytes;
    const before = this.#ranges.find((range) => range.end === start);
    const after = this.#ranges.find((range) => range.start === end);
    const joined = { start: before?.start ?? start, end: after?.end ?? end };
    const others = this.#ranges.filter((range) => range !== before && range !== after);
    this.#ranges = [...others, joined].sort((a, b) => a.start - b.start);
  }
}
