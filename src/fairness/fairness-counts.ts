/** What is shared out; the label of the metrics. */
export const RESOURCES = [
  'upload-memory',
  'bodies',
  'answers',
  'connections',
  'manifests',
  'verifications',
  'configs',
] as const;
export type Resource = (typeof RESOURCES)[number];

/** Waiting now, and what has happened since the start; the process's own, as all counters are. */
export class FairnessCounts {
  private readonly counts = new Map<Resource, number>(RESOURCES.map((resource) => [resource, 0]));

  add(resource: Resource, by = 1): void {
    this.counts.set(resource, this.of(resource) + by);
  }

  /** For what is counted elsewhere. */
  set(resource: Resource, count: number): void {
    this.counts.set(resource, count);
  }

  of(resource: Resource): number {
    return this.counts.get(resource) ?? 0;
  }

  entries(): Iterable<[Resource, number]> {
    return this.counts;
  }
}

export const FAIRNESS = {
  /** Requests that wait for their share now. */
  waiting: new FairnessCounts(),
  /** Requests that were told to come again: their share was used up, or its queue was full. */
  refused: new FairnessCounts(),
  /** Stalled requests that were ended because others waited for what they held. */
  reclaimed: new FairnessCounts(),
} as const;
