import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../exit-codes.js';
import type { HttpReply } from './http.js';

const ATTEMPTS = 9;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** Of what a server asks for at a time; the attempts together outlast the minute of a rate limit. */
const LONGEST_ASKED_SECONDS = 30;
/** What may be otherwise in a moment. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** The answer was that it does not work now; how long the server wants to be left alone, in seconds. */
export class TryLater extends Error {
  constructor(
    message: string,
    readonly afterSeconds: number,
  ) {
    super(message);
  }
}

/** Of an answer that `mayPass`: `who` gave it. */
export function tryLater(who: string, { status, headers }: Pick<HttpReply, 'status' | 'headers'>): TryLater {
  return new TryLater(`${who} answered ${status}`, Number(headers['retry-after'] ?? 0) || 0);
}

export function mayPass(status: number): boolean {
  return PASSING.has(status);
}

/**
 * Runs `work` again after a connection was lost or the server asked for time, with pauses that double, each a random
 * part of its length. `work` looks first what has happened already: nothing is repeated blindly.
 */
export async function withRetries<T>(what: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || error instanceof CliError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      if (attempt === ATTEMPTS) throw new CliError(`${what}: ${reason}`, 1, { cause: error });
      const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
      const asked = error instanceof TryLater ? Math.min(LONGEST_ASKED_SECONDS, error.afterSeconds) * 1000 : 0;
      await sleep(asked + longest * (0.5 + Math.random() / 2), undefined, { signal });
    }
  }
}

/** At most `limit` at a time. The first failure is thrown at once; the caller's signal ends the others. */
export async function inParallel<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: limit }, lane));
}
