import { Injectable } from '@nestjs/common';
import type { Principal } from '../../../access/principal.js';
import { Limiters } from '../../../cache/limiters.js';
import { ApiError, type ApiCondition, type ApiErrorOptions } from '../../../http/errors/api-error.js';
import { RATE_LIMITED } from '../../../http/limit-counts.js';
import { AttemptLimiter } from '../../../operations/limits/attempt-limiter.js';
import { exhaustedHeaders, exhaustedText } from '../../../operations/limits/limit-headers.js';

/** More than a person mistypes in ten minutes, and few for a program that goes through a list. */
export const MAX_LOOKUPS = 60;
const WINDOW_SECONDS = 600;
const MAX_CALLERS = 50_000;

/** An answer that tells whether a name is taken: there is no such user, or the name is taken. */
export class NameDisclosure extends ApiError {
  constructor(
    condition: ApiCondition,
    detail?: string,
    options?: ApiErrorOptions,
    /** How many names it tells of. */
    readonly names = 1,
  ) {
    super(condition, detail, options);
  }
}

/**
 * Bounds how many names a caller can try: what is handed to other accounts has to say that there is no such account.
 * A lookup is counted before it is made, and taken back unless it was in vain, so many at once learn no more.
 */
@Injectable()
export class NameLookups {
  private readonly attempts: AttemptLimiter;

  constructor(limiters: Limiters) {
    const limits = { name: 'names', points: MAX_LOOKUPS, windowSeconds: WINDOW_SECONDS, maxKeys: MAX_CALLERS };
    this.attempts = new AttemptLimiter(limiters, limits);
  }

  /** Throws what `work` throws, or `tooManyRequests` with the time to wait. */
  async run<T>(caller: Principal, work: () => Promise<T>): Promise<T> {
    const key = keyOf(caller);
    if (key === null) return work();
    await this.begin(key);
    let isTold = false;
    try {
      return await work();
    } catch (error) {
      if (error instanceof NameDisclosure) {
        isTold = true;
        for (let more = 1; more < error.names; more++) await this.attempts.count(key);
      }
      throw error;
    } finally {
      if (!isTold) await this.attempts.takeBack(key);
    }
  }

  private async begin(key: string): Promise<void> {
    const exhausted = await this.attempts.count(key);
    if (exhausted === null) return;
    RATE_LIMITED.add('names');
    throw new ApiError('tooManyRequests', exhaustedText(exhausted), { headers: exhaustedHeaders(exhausted) });
  }
}

/** An organization's robots count as one. Administrators may list all accounts anyway. */
function keyOf(caller: Principal): string | null {
  switch (caller.kind) {
    case 'user':
      return caller.admin ? null : `user:${caller.id}`;
    case 'robot':
      return `org:${caller.orgId}`;
    case 'anonymous':
      return 'anonymous';
  }
}
