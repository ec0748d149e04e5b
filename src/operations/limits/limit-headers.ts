import type { Limit } from '../../cache/limiters.js';

/** Too many: which limit it was, and when there are more. */
export interface Exhausted extends Limit {
  readonly secondsToWait: number;
}

/** What each limit counts, for the person who meets it. */
const COUNTED: Readonly<Record<string, string>> = {
  login: 'wrong passwords for this account from this address',
  'login-address': 'wrong passwords from this address',
  'login-account': 'wrong passwords for this account from all addresses',
  'sign-up': 'attempts to sign up from this address',
  names: 'names asked for in vain by this account',
  user: 'requests of this account',
  address: 'requests from this address',
  'token-address': 'requests for tokens from this address',
  'token-account': 'tokens of this account',
};

/** Why, and until when; clients show a sentence where they show no header. */
export function exhaustedText({ name, points, windowSeconds, secondsToWait }: Exhausted, now = Date.now()): string {
  const until = new Date(now + secondsToWait * 1000).toISOString().replace(/\.\d+/, '');
  const most = `${points} ${COUNTED[name] ?? 'requests'} in ${windowSeconds} s`;
  return `${most} are the limit, try again in ${secondsToWait} s, at ${until}`;
}

/** At least one, so that a client that waits that long is not early. */
export function secondsUntil(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000));
}

/** `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers (from revision 08 on). */
export function quotaHeaders(
  { name, points, windowSeconds }: Limit,
  remaining: number,
  seconds: number,
): Record<string, string> {
  return {
    'RateLimit-Policy': `"${name}";q=${points};w=${windowSeconds}`,
    RateLimit: `"${name}";r=${remaining};t=${seconds}`,
  };
}

/** Those of a 429. */
export function exhaustedHeaders(exhausted: Exhausted): Record<string, string> {
  const { secondsToWait } = exhausted;
  return { 'Retry-After': String(secondsToWait), ...quotaHeaders(exhausted, 0, secondsToWait) };
}
