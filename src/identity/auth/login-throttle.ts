import { Injectable } from '@nestjs/common';
import type { Limiters } from '../../cache/limiters.js';
import { networkOf } from '../../http/connections/client-network.js';
import { RATE_LIMITED } from '../../http/limit-counts.js';
import { AttemptLimiter } from '../../operations/limits/attempt-limiter.js';
import type { Exhausted } from '../../operations/limits/limit-headers.js';
import { isAccountName } from '../users/account-name.js';
import { Refusal } from './refusal.js';

/** Failures of one account from one address before that pair has to wait. */
export const MAX_FAILURES = 10;
/** Failures from one address, over all accounts: fewer than may wait for argon2id, so it cannot fill that queue. */
export const MAX_FAILURES_OF_ADDRESS = 50;
/** Failures of one account from all addresses, before it can be tried only from where it has been used. */
export const MAX_FAILURES_OF_ACCOUNT = 100;
const WINDOW_SECONDS = 300;
/** How long an address counts as known to the account after a login. */
const KNOWN_SECONDS = 7 * 86_400;
const MAX_COUNTED = 50_000;

/**
 * Limits guesses per pair of account and address, so an account cannot be locked from another address. An attempt
 * is counted before its password is looked at, so that many at once do not slip through, and taken back if it was right.
 * An address as such has a limit too, since a new name for each guess would occupy argon2id for all;
 * and an account has one against many addresses at once, which those do not meet from where they log in anyway.
 */
@Injectable()
export class LoginThrottle {
  private readonly ofPairs: AttemptLimiter;
  private readonly ofAddresses: AttemptLimiter;
  private readonly ofAccounts: AttemptLimiter;
  private readonly known: AttemptLimiter;

  constructor(limiters: Limiters, maxKeys = MAX_COUNTED) {
    const open = (name: string, points: number, windowSeconds = WINDOW_SECONDS): AttemptLimiter =>
      new AttemptLimiter(limiters, { name, points, windowSeconds, maxKeys });
    this.ofPairs = open('login', MAX_FAILURES);
    this.ofAddresses = open('login-address', MAX_FAILURES_OF_ADDRESS);
    this.ofAccounts = open('login-account', MAX_FAILURES_OF_ACCOUNT);
    this.known = open('login-known', Number.MAX_SAFE_INTEGER, KNOWN_SECONDS);
  }

  /** Throws `Refusal` with the time to wait. */
  async begin(username: string, address: string): Promise<void> {
    // What the pair is refused for costs no argon2id, so it is nothing that the neighbours have to pay for.
    const exhausted =
      (await this.ofPairs.count(pairOf(username, address))) ??
      (await this.countAccount(username, address)) ??
      (await this.ofAddresses.count(networkOf(address)));
    if (exhausted === null) return;
    RATE_LIMITED.add('login');
    throw new Refusal('tooManyAttempts', exhausted);
  }

  /** The pair's failures are forgotten, the address's are not: one good account there is no licence to guess at others. */
  async succeed(username: string, address: string): Promise<void> {
    const pair = pairOf(username, address);
    await Promise.all([
      this.ofPairs.forget(pair),
      this.ofAddresses.takeBack(networkOf(address)),
      this.ofAccounts.takeBack(username),
      this.known.count(pair),
    ]);
  }

  private async countAccount(username: string, address: string): Promise<Exhausted | null> {
    if (!isAccountName(username)) return null; // no account
    const exhausted = await this.ofAccounts.count(username);
    if (exhausted === null) return null;
    return (await this.known.has(pairOf(username, address))) ? null : exhausted;
  }
}

function pairOf(username: string, address: string): string {
  // What cannot be an account's name is one account, or each guess at a name would take memory.
  return `${isAccountName(username) ? username : ''}|${networkOf(address)}`;
}
