import { FactCache, type FactRequest, type Subject } from '../../src/cache/fact-cache.js';

/** A cache that other nodes share, as far as a writer sees it; it remembers nothing. */
export class SharedFacts extends FactCache {
  override readonly shared = true;
  /** What each call dropped. */
  readonly drops: (readonly Subject[])[] = [];

  get dropped(): readonly Subject[] {
    return this.drops.flat();
  }

  override read<T>({ load }: FactRequest<T>): Promise<T> {
    return load();
  }

  override peek(): Promise<never> {
    return Promise.reject(new Error('unused'));
  }

  override drop(subjects: readonly Subject[]): Promise<void> {
    this.drops.push([...subjects]);
    return Promise.resolve();
  }

  override check(): Promise<void> {
    return Promise.resolve();
  }
}
