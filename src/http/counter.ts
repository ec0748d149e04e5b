/**
 * How often each of a few things has happened in this process. The kinds are fixed when it is made: a name, a path or a
 * digest can be none of them.
 */
export class Counter<const Kind extends string> {
  private readonly counts: Map<Kind, number>;

  constructor(kinds: readonly Kind[]) {
    this.counts = new Map(kinds.map((kind) => [kind, 0]));
  }

  add(kind: Kind, by = 1): void {
    this.counts.set(kind, this.of(kind) + by);
  }

  of(kind: Kind): number {
    return this.counts.get(kind) ?? 0;
  }

  /** Every kind, also those that have not happened yet. */
  entries(): Iterable<[Kind, number]> {
    return this.counts;
  }
}
