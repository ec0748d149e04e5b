import { Injectable } from '@nestjs/common';
import { Limiters } from '../../cache/limiters.js';
import { ApiError } from '../../http/errors/api-error.js';
import { networkOf } from '../../http/connections/client-network.js';
import { RATE_LIMITED } from '../../http/limit-counts.js';
import { AttemptLimiter } from '../../operations/limits/attempt-limiter.js';
import { exhaustedHeaders, exhaustedText } from '../../operations/limits/limit-headers.js';

/** Attempts to sign up from one address before it has to wait: a class may sign up together, a program not for long. */
export const MAX_SIGN_UPS = 20;
const WINDOW_SECONDS = 600;
const MAX_ADDRESSES = 50_000;

/** Bounds accounts, names that are tried out and passwords to hash by where they come from. */
@Injectable()
export class SignUpThrottle {
  private readonly attempts: AttemptLimiter;

  constructor(limiters: Limiters) {
    const limits = { name: 'sign-up', points: MAX_SIGN_UPS, windowSeconds: WINDOW_SECONDS, maxKeys: MAX_ADDRESSES };
    this.attempts = new AttemptLimiter(limiters, limits);
  }

  /** Throws `tooManyRequests` with the time to wait. */
  async begin(address: string): Promise<void> {
    const exhausted = await this.attempts.count(networkOf(address));
    if (exhausted === null) return;
    RATE_LIMITED.add('sign-up');
    throw new ApiError('tooManyRequests', exhaustedText(exhausted), { headers: exhaustedHeaders(exhausted) });
  }
}
