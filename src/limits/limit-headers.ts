import type { Limit } from '../cache/limiters.js';

/** Too many: which limit it was, and when there are more. */
export interface Exhausted extends Limit {
  readonly secondsToWait: number;
}

/** At least one, so that whoever waits that long is not early. */
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
