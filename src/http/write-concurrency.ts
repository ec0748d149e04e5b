import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { ApiError } from './errors/api-error.js';
import { RATE_LIMITED } from './limit-counts.js';

export const WRITES_AT_ONCE = 4;
export const MAX_WAITING = 50;
const PATIENCE_MS = 20_000;
/** Longer than a statement may take: a write whose client has left has ended by then. */
const FORGOTTEN_AFTER_MS = 60_000;

interface Line {
  running: number;
  readonly waiting: (() => void)[];
}

/**
 * Writes of the management API in flight, by principal; each process for itself. They may wait for row locks while
 * they hold a connection of the pool, so many at one row would leave none for other principals. Here they wait without
 * one.
 */
@Injectable()
export class WriteConcurrency {
  private readonly lines = new Map<string, Line>();
  private readonly releases = new WeakMap<Response, () => void>();

  /** `null` if the write may go on at once; after a wait it has to be authorized again. Throws 429. */
  take(principal: string, response: Response): Promise<void> | null {
    const line = this.lines.get(principal) ?? { running: 0, waiting: [] };
    this.lines.set(principal, line);
    if (line.running >= WRITES_AT_ONCE) return this.wait(principal, line, response);
    line.running++;
    this.hold(principal, line, response);
    return null;
  }

  /** When the write has ended, also after its client has gone. */
  end(response: Response): void {
    this.releases.get(response)?.();
  }

  private async wait(principal: string, line: Line, response: Response): Promise<void> {
    if (line.waiting.length >= MAX_WAITING) throw tooMany();
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const enter = (): void => {
      resolve(undefined);
    };
    const leave = (): void => {
      const at = line.waiting.indexOf(enter);
      if (at !== -1) line.waiting.splice(at, 1);
      reject(tooMany());
    };
    const timer = setTimeout(leave, PATIENCE_MS);
    response.once('close', leave);
    line.waiting.push(enter);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      response.off('close', leave);
    }
    this.hold(principal, line, response);
  }

  /** Until the answer: a client that leaves does not end the transaction, and must not get another turn for it. */
  private hold(principal: string, line: Line, response: Response): void {
    let timer: NodeJS.Timeout | undefined;
    const release = (): void => {
      if (!this.releases.delete(response)) return;
      clearTimeout(timer);
      const next = line.waiting.shift();
      // The ended one hands its turn over, so `running` stays.
      if (next) next();
      else if (--line.running === 0) this.lines.delete(principal);
    };
    this.releases.set(response, release);
    const end: (...last: unknown[]) => Response = response.end.bind(response) as never;
    response.end = ((...last: unknown[]) => {
      release();
      return end(...last);
    }) as typeof response.end;
    response.once('close', () => {
      if (this.releases.has(response)) timer = setTimeout(release, FORGOTTEN_AFTER_MS).unref();
    });
  }
}

function tooMany(): ApiError {
  RATE_LIMITED.add('writes');
  const detail = 'too many changes of yours are under way at once';
  return new ApiError('tooManyRequests', detail, { headers: { 'Retry-After': '5' } });
}
