import { withoutShare } from '../fairness/current-share.js';
import { FactCache, type FactRequest } from './fact-cache.js';

/** Several nodes without a shared cache: the database is asked every time, since another node may have written. */
export class UncachedFactCache extends FactCache {
  override readonly shared = false;

  override read<T>(request: FactRequest<T>): Promise<T> {
    this.counts.misses += 1;
    return withoutShare(() => request.load());
  }

  override peek(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  override drop(): Promise<void> {
    return Promise.resolve();
  }

  override check(): Promise<void> {
    return Promise.resolve();
  }
}
