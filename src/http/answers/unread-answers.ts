import type { Response } from 'express';
import { Allotment, type Holding, type Progress } from '../../fairness/allotment.js';
import { whenClosed } from '../connections/when-closed.js';

/** Answers up to here are not worth counting: the socket takes them, whether their client reads or not. */
export const SMALL_ANSWER = 64 * 1024;
const TOTAL_BYTES = 64 * 1024 * 1024;
/** A client that takes an answer more slowly keeps it too long, when others wait; bytes a second, and milliseconds. */
const LOWEST_RATE = 16 * 1024;
const GRACE_MS = 10_000;

/**
 * Bytes of answers that wait in this process until their clients have read them, by share. The process's own, as its
 * counters are: whatever writes an answer needs nothing but the import.
 */
export const ANSWERS = new Allotment({ resource: 'answers', total: TOTAL_BYTES });

/** How the reading of an answer gets on that began now. */
export function readingOf(bytes: number, end: () => void, now: () => number = () => performance.now()): Progress {
  const patience = now() + GRACE_MS + (bytes / LOWEST_RATE) * 1_000;
  return { isStalled: () => now() > patience, end };
}

/** Counts an answer that has been made until it was read. Throws `ShareExhausted` when its share has too many unread. */
export function holdAnswer(response: Response, bytes: number): void {
  if (bytes <= SMALL_ANSWER) return;
  const { share } = response.req.context;
  const holding = ANSWERS.tryTake(share, bytes);
  if (!holding) {
    ANSWERS.reclaim(share, bytes);
    throw ANSWERS.exhausted();
  }
  const end = (): void => void response.destroy();
  holding.progress = readingOf(bytes, end);
  releaseWith(response, holding);
}

export function releaseWith(response: Response, holding: Holding): void {
  whenClosed(response, () => {
    holding.release();
  });
}
