import { Injectable } from '@nestjs/common';
import { AttemptLimiter } from '../http/attempt-limiter.js';
import { networkOf } from '../http/client-network.js';
import { TALLIES } from '../http/tallies.js';
import { isAccountName } from '../users/account-name.js';
import { Refusal } from './refusal.js';

/** Failures of one account from one address before that pair has to wait. */
export const MAX_FAILURES = 10;
/** Failures from one address, whatever the account: fewer than may wait for argon2id, so nobody fills that queue alone. */
export const MAX_FAILURES_OF_ADDRESS = 50;
const WINDOW_SECONDS = 300;
const MAX_COUNTED = 50_000;

/**
 * Slows guessing down per pair of account and address: nobody can lock somebody else out from elsewhere. An attempt
 * is counted before its password is looked at, so that many at once do not slip through, and taken back if it was right.
 * An address as such has a limit too, since whoever tries another name each time takes everybody's turn at argon2id.
 */
@Injectable()
export class LoginThrottle {
  private readonly ofPairs: AttemptLimiter;
  private readonly ofAddresses: AttemptLimiter;

  constructor(maxKeys = MAX_COUNTED) {
    const limits = { windowSeconds: WINDOW_SECONDS, maxKeys };
    this.ofPairs = new AttemptLimiter({ name: 'logins of pairs', attempts: MAX_FAILURES, ...limits });
    this.ofAddresses = new AttemptLimiter({
      name: 'logins of addresses',
      attempts: MAX_FAILURES_OF_ADDRESS,
      ...limits,
    });
  }

  /** Throws `Refusal` with the time to wait. */
  async begin(username: string, address: string): Promise<void> {
    // What the pair is refused for costs no argon2id, so it is nothing that the neighbours have to pay for.
    const secondsToWait =
      (await this.ofPairs.count(pairOf(username, address))) ?? (await this.ofAddresses.count(networkOf(address)));
    if (secondsToWait === null) return;
    TALLIES.rateLimited.add('login');
    throw new Refusal('tooManyAttempts', secondsToWait);
  }

  /** The pair's failures are forgotten, the address's are not: one good account there is no licence to guess at others. */
  async succeed(username: string, address: string): Promise<void> {
    this.ofPairs.forget(pairOf(username, address));
    await this.ofAddresses.takeBack(networkOf(address));
  }
}

function pairOf(username: string, address: string): string {
  // What cannot be an account's name is one account, or each guess at a name would take memory.
  return `${isAccountName(username) ? username : ''}|${networkOf(address)}`;
}
