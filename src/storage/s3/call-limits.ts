import { abortReason } from '../body-reader.js';
import { StoreUnavailable } from '../storage-errors.js';

/** Milliseconds. */
export interface Limits {
  /** Until one attempt is answered. */
  readonly attempt: number;
  /** For all attempts and the pauses between them. */
  readonly total: number;
}

/**
 * How long a store may say and take nothing before a transfer is given up. A client whose request waits for it gets its
 * 503 within 15 s, so such a silence is not tried again: three of them would be a minute.
 */
export const SILENCE_MS = 11_000;

/** Calls without bytes: retried on a second connection when one hangs. */
export const SHORT: Limits = { attempt: 5_000, total: SILENCE_MS };
/** A look at an object that a client is sent to: an unhurried store is no reason to keep the client. */
export const GLANCE: Limits = { attempt: 1_000, total: 1_000 };
/** What a request does on its way out, after its failure is known; the sweep repeats it. */
export const PARTING: Limits = { attempt: 2_000, total: 2_000 };

/** Bytes at 256 KiB/s, which a sick link still has; silence ends it earlier. */
export function transferOf(bytes: number): Limits {
  const attempt = SILENCE_MS + bytes / 256;
  return { attempt, total: attempt + SHORT.total };
}

/** Amazon sends spaces while it thinks; other servers are silent while they copy the parts, at 64 MiB/s or more. */
export function completionOf(bytes: number): Limits {
  const attempt = Math.min(SILENCE_MS + bytes / 65_536, 300_000);
  return { attempt, total: attempt };
}

export function deletionOf(keys: number): Limits {
  const more = keys * 20;
  return { attempt: SHORT.attempt + more, total: SHORT.total + more };
}

/** The options of one SDK call. */
export interface CallOptions {
  readonly abortSignal: AbortSignal;
  readonly requestTimeout: number;
}

/** Makes the call within its limits. Throws the signal's reason, `StoreUnavailable` when time is over, or the SDK's error. */
export async function limited<Reply>(
  { attempt, total }: Limits,
  signal: AbortSignal | undefined,
  call: (options: CallOptions) => Promise<Reply>,
): Promise<Reply> {
  const deadline = new AbortController();
  const timer = setTimeout(() => {
    deadline.abort();
  }, total);
  const abortSignal = signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal;
  try {
    return await call({ abortSignal, requestTimeout: attempt });
  } catch (error) {
    // The SDK's AbortError has lost the reason.
    if (signal?.aborted) throw abortReason(signal);
    if (deadline.signal.aborted) throw new StoreUnavailable('timeout', 'the object store did not answer in time');
    throw error;
  } finally {
    // The signal stays with the call: what is read later still ends with the caller's.
    clearTimeout(timer);
  }
}
