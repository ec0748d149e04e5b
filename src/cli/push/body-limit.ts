/** Bytes; a way that takes no body of this size carries no layers. */
export const SMALLEST_CHUNK = 64 << 10;

/** How much of a blob one request may carry. What a proxy taught one blob counts for all others of the push. */
export class BodyLimit {
  constructor(private bytes = Infinity) {}

  /** Where the chunk that begins at `from` ends, in a blob of `size` bytes. */
  endOf(from: number, size: number): number {
    return Math.min(from + this.bytes, size);
  }

  /** A body of so many bytes was too large: the next are at most half of it. `null` when that was the smallest. */
  lower(refused: number): number | null {
    if (refused <= SMALLEST_CHUNK) return null;
    this.bytes = Math.min(this.bytes, Math.max(SMALLEST_CHUNK, Math.floor(refused / 2)));
    return this.bytes;
  }
}
