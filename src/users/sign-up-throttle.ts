import { Injectable } from '@nestjs/common';
import { ApiError } from '../http/api-error.js';
import { AttemptLimiter } from '../http/attempt-limiter.js';
import { networkOf } from '../http/client-network.js';
import { TALLIES } from '../http/tallies.js';

/** Attempts to sign up from one address before it has to wait: a class may sign up together, a program not for long. */
export const MAX_SIGN_UPS = 20;
const WINDOW_SECONDS = 600;
const MAX_ADDRESSES = 50_000;

/** Bounds accounts, names that are tried out and passwords to hash by where they come from. */
@Injectable()
export class SignUpThrottle {
  private readonly attempts = new AttemptLimiter({
    name: 'sign-ups',
    attempts: MAX_SIGN_UPS,
    windowSeconds: WINDOW_SECONDS,
    maxKeys: MAX_ADDRESSES,
  });

  /** Throws `tooManyRequests` with the time to wait. */
  async begin(address: string): Promise<void> {
    const secondsToWait = await this.attempts.count(networkOf(address));
    if (secondsToWait === null) return;
    TALLIES.rateLimited.add('sign-up');
    throw new ApiError('tooManyRequests', undefined, { headers: { 'Retry-After': String(secondsToWait) } });
  }
}
