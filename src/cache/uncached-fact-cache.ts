import { FactCache, type FactRequest } from './fact-cache.js';

/** Several nodes without a shared cache: the database is asked every time, since another node may have written. */
export class UncachedFactCache extends FactCache {
  override readonly shared = false;

  override read<T>(request: FactRequest<T>): Promise<T> {
    return request.load();
  }

  override async readMany<T extends readonly unknown[]>(requests: {
    readonly [K in keyof T]: FactRequest<T[K]>;
  }): Promise<T> {
    const facts: unknown = await Promise.all(requests.map((request) => request.load()));
    return facts as T;
  }

  override drop(): Promise<void> {
    return Promise.resolve();
  }

  override check(): Promise<void> {
    return Promise.resolve();
  }
}
