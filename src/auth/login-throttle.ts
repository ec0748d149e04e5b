import { Injectable } from '@nestjs/common';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { isAccountName } from '../users/account-name.js';
import { Refusal } from './refusal.js';

/** Failures of one account from one address before that pair has to wait. */
export const MAX_FAILURES = 10;
const WINDOW_SECONDS = 300;
/** Pairs that are counted at once: whoever tries a new name each time fills no memory. */
const MAX_PAIRS = 50_000;

/**
 * Slows guessing down per pair of account and address: nobody can lock somebody else out from elsewhere. An attempt
 * is counted before its password is looked at, so that many at once do not slip through, and taken back if it was right.
 */
@Injectable()
export class LoginThrottle {
  private readonly failures = new RateLimiterMemory({ points: MAX_FAILURES, duration: WINDOW_SECONDS });
  private readonly counted: LRUCache<string, true>;

  constructor(maxPairs = MAX_PAIRS) {
    this.counted = new LRUCache({ max: maxPairs, dispose: (_, pair) => void this.failures.delete(pair) });
  }

  /** Throws `Refusal` with the time to wait. */
  async begin(username: string, address: string): Promise<void> {
    const pair = pairOf(username, address);
    // Setting what is there already would dispose of it.
    if (!this.counted.get(pair)) this.counted.set(pair, true);
    try {
      await this.failures.consume(pair);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      throw new Refusal('tooManyAttempts', Math.max(1, Math.ceil(error.msBeforeNext / 1000)));
    }
  }

  succeed(username: string, address: string): void {
    this.counted.delete(pairOf(username, address));
  }
}

function pairOf(username: string, address: string): string {
  // What cannot be an account's name is one account, or each guess at a name would take memory.
  return `${isAccountName(username) ? username : ''}|${network(address)}`;
}

/** An IPv6 customer has a whole /64: one that changes its address within it is still the same client. */
function network(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString();
}
