/** At most `capacity` entries in their order; one more takes the oldest one's place, which is counted. */
export class EntryBuffer<T> {
  private readonly ring: T[] = [];
  private start = 0;
  private count = 0;
  private overwritten = 0;

  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.count;
  }

  add(entry: T): void {
    this.ring[(this.start + this.count) % this.capacity] = entry;
    if (this.count < this.capacity) this.count += 1;
    else {
      this.start = (this.start + 1) % this.capacity;
      this.overwritten += 1;
    }
  }

  /** The oldest ones, which are no longer here. */
  take(limit: number): T[] {
    const length = Math.min(limit, this.count);
    const taken = Array.from({ length }, (_, index) => this.ring[(this.start + index) % this.capacity] as T);
    this.start = (this.start + length) % this.capacity;
    this.count -= length;
    if (this.count === 0) {
      this.ring.length = 0; // what was taken is not kept alive
      this.start = 0;
    }
    return taken;
  }

  /** How many were lost since it was asked last. */
  takeLost(): number {
    const lost = this.overwritten;
    this.overwritten = 0;
    return lost;
  }
}
