import { Injectable } from '@nestjs/common';
import { AttemptLimiter } from '../http/attempt-limiter.js';
import { networkOf } from '../http/client-network.js';
import { isAccountName } from '../users/account-name.js';
import { Refusal } from './refusal.js';

/** Failures of one account from one address before that pair has to wait. */
export const MAX_FAILURES = 10;
const WINDOW_SECONDS = 300;
const MAX_PAIRS = 50_000;

/**
 * Slows guessing down per pair of account and address: nobody can lock somebody else out from elsewhere. An attempt
 * is counted before its password is looked at, so that many at once do not slip through, and taken back if it was right.
 */
@Injectable()
export class LoginThrottle {
  private readonly failures: AttemptLimiter;

  constructor(maxPairs = MAX_PAIRS) {
    this.failures = new AttemptLimiter({ attempts: MAX_FAILURES, windowSeconds: WINDOW_SECONDS, maxKeys: maxPairs });
  }

  /** Throws `Refusal` with the time to wait. */
  async begin(username: string, address: string): Promise<void> {
    const secondsToWait = await this.failures.count(pairOf(username, address));
    if (secondsToWait !== null) throw new Refusal('tooManyAttempts', secondsToWait);
  }

  succeed(username: string, address: string): void {
    this.failures.forget(pairOf(username, address));
  }
}

function pairOf(username: string, address: string): string {
  // What cannot be an account's name is one account, or each guess at a name would take memory.
  return `${isAccountName(username) ? username : ''}|${networkOf(address)}`;
}
