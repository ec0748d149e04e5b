/** How often what has a name ended in which way, in this process. Names are the program's own, so they are few. */
export class OutcomeCounts<const Outcome extends string> {
  private readonly counts = new Map<string, Map<Outcome, number>>();

  constructor(private readonly outcomes: readonly Outcome[]) {}

  /** Every outcome is shown from now on, so that the first one is seen as an increase. */
  register(name: string): void {
    if (!this.counts.has(name)) this.counts.set(name, new Map(this.outcomes.map((outcome) => [outcome, 0])));
  }

  add(name: string, outcome: Outcome): void {
    this.register(name);
    const counts = this.counts.get(name);
    counts?.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }

  *entries(): Iterable<readonly [name: string, outcome: Outcome, count: number]> {
    for (const [name, counts] of this.counts) for (const [outcome, count] of counts) yield [name, outcome, count];
  }
}

export const TASK_RUNS = new OutcomeCounts(['done', 'failed']);
