import type { Subject } from './fact-cache.js';

/**
 * How long a statement may still take effect whose process has died: a little more than a statement may run, since the
 * database notices only at its end. Milliseconds.
 */
export const AFTERMATH_MS = 35_000;

/** What a worker that remembers facts tells the process that started it. */
export type DropMessageToPrimary =
  /** From now on it may remember facts, and waits for `facts.joined` until it does. */
  | { readonly kind: 'facts.join' }
  /** A write of its own has committed; it is acknowledged after `facts.dropped` with the same ticket. */
  | { readonly kind: 'facts.drop'; readonly ticket: number; readonly subjects: readonly Subject[] }
  | { readonly kind: 'facts.confirm'; readonly round: number };

/** What it is told. */
export type DropMessageToWorker =
  | { readonly kind: 'facts.joined' }
  /** Others have written: to be forgotten, and then confirmed. */
  | { readonly kind: 'facts.drop'; readonly round: number; readonly subjects: readonly Subject[] }
  | { readonly kind: 'facts.dropped'; readonly ticket: number }
  /** Another worker has ended; what it was about to drop is unknown. */
  | { readonly kind: 'facts.lost' };
