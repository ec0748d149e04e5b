import { AsyncLocalStorage } from 'node:async_hooks';
import type { Share } from './share.js';

/** A request, whose share is known better the further it has come. */
export interface HasShare {
  readonly share: Share;
  /** Work after the answer belongs to no share. */
  readonly isAnswered: boolean;
}

const current = new AsyncLocalStorage<HasShare | null>();

/** Runs a request's work, so that what is far from it can tell whose it is. */
export function withShare<T>(holder: HasShare, work: () => T): T {
  return current.run(holder, work);
}

/** Runs work that is for others, too: they must not wait for the share of the one that came first. */
export function withoutShare<T>(work: () => T): T {
  return current.run(null, work);
}

/** `null` for work that belongs to no request. */
export function currentShare(): Share | null {
  const holder = current.getStore() ?? null;
  return holder === null || holder.isAnswered ? null : holder.share;
}
