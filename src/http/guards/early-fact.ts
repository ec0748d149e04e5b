import type { Request } from 'express';
import type { FactName } from '../../cache/fact-cache.js';

/** What a shared cache had of the fact. */
export interface EarlyAnswer {
  readonly to: EarlyFact<unknown>;
  readonly value: unknown;
}

/**
 * A cached fact of a repository that a route reads next. Its owner names it in the route's `@Access`, so that the guard can
 * ask a shared cache for it together with its own questions.
 */
export class EarlyFact<T> {
  constructor(readonly nameFor: (repositoryId: number, params: Request['params']) => FactName<T>) {}

  /** `undefined` where it must be asked for. */
  of({ context: { early } }: Request): T | undefined {
    return early?.to === this ? (early.value as T) : undefined;
  }
}
