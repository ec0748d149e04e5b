import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { type Principal, principalKey } from '../../access/principal.js';
import { type Limit, Limiters } from '../../cache/limiters.js';
import { AppConfig } from '../../config/config.js';
import { ApiError } from '../../http/errors/api-error.js';
import { ClientNetworks, networkOf } from '../../http/connections/client-network.js';
import { isRegistryPath } from '../../http/connections/request-target.js';
import { TOKEN_PATH } from '../../http/v2/token-challenge.js';
import { OciError, ociErrorBody } from '../../oci/oci-error.js';
import { type Exhausted, exhaustedHeaders, exhaustedText, quotaHeaders, secondsUntil } from './limit-headers.js';
import { RequestCounter } from './request-counter.js';
import { RATE_LIMITED } from '../../http/limit-counts.js';

const WINDOW_SECONDS = 60;
/** Clients are told what is left when it is less than this part: two headers on each answer would cost the hot route. */
const TOLD_BELOW = 0.2;

type LimitName = 'user' | 'address' | 'token-address' | 'token-account';

interface RequestLimit {
  readonly limit: Limit & { readonly name: LimitName };
  readonly counter: RequestCounter;
}

/** How many requests a minute, of whom. All throw 429 in the format of the request's interface. */
@Injectable()
export class RequestLimitsService {
  private readonly users: RequestLimit | null;
  private readonly addresses: RequestLimit | null;
  private readonly tokensOfAddresses: RequestLimit | null;
  private readonly tokensOfAccounts: RequestLimit | null;
  private readonly exempt: ClientNetworks;

  constructor({ security: { rateLimits } }: AppConfig, limiters: Limiters) {
    const open = (name: LimitName, points: number): RequestLimit | null => {
      const limit = { name, points, windowSeconds: WINDOW_SECONDS };
      return points === 0 ? null : { limit, counter: new RequestCounter(limit, limiters.openShared(limit)) };
    };
    this.users = open('user', rateLimits.user);
    this.addresses = open('address', rateLimits.address);
    this.tokensOfAddresses = open('token-address', rateLimits.token);
    this.tokensOfAccounts = open('token-account', rateLimits.token);
    this.exempt = new ClientNetworks(rateLimits.exempt);
  }

  /** A request of a known principal; an anonymous one counts for its address. Counts once per request. */
  countCaller(principal: Principal, request: Request): void {
    if (principal.kind === 'anonymous') this.countStranger(request);
    else if (this.users !== null) this.countOnce(this.users, principalKey(principal), request);
  }

  /** One more thing that a request asks for, of a caller that has been counted for the request itself. */
  countFurther(principal: Principal, request: Request): void {
    if (this.users !== null && principal.kind !== 'anonymous') this.count(this.users, principalKey(principal), request);
  }

  /** A request without credentials, or with wrong ones. */
  countStranger(request: Request): void {
    if (this.addresses !== null) this.countOnce(this.addresses, networkOf(request.ip ?? ''), request);
  }

  /** A request for a token, before anything of it is looked at. */
  countTokenRequest(request: Request): void {
    if (this.tokensOfAddresses !== null) this.count(this.tokensOfAddresses, networkOf(request.ip ?? ''), request);
  }

  /** A token for an authenticated principal, so that no other can exhaust its limit. */
  countToken(principal: Principal, request: Request): void {
    if (this.tokensOfAccounts !== null && principal.kind !== 'anonymous')
      this.count(this.tokensOfAccounts, principalKey(principal), request);
  }

  private countOnce(kind: RequestLimit, key: string, request: Request): void {
    if (request.context.counted) return;
    request.context.counted = true;
    this.count(kind, key, request);
  }

  private count({ limit, counter }: RequestLimit, key: string, request: Request): void {
    if (this.exempt.has(request.ip)) return;
    const { isOver, remaining, milliseconds } = counter.take(key);
    if (isOver) {
      RATE_LIMITED.add(limit.name);
      throw rateLimited(request, { ...limit, secondsToWait: secondsUntil(milliseconds) });
    }
    if (remaining >= limit.points * TOLD_BELOW) return;
    const headers = quotaHeaders(limit, remaining, secondsUntil(milliseconds));
    for (const [name, value] of Object.entries(headers)) request.res?.setHeader(name, value);
  }
}

function rateLimited(request: Request, exhausted: Exhausted): OciError | ApiError {
  const headers = exhaustedHeaders(exhausted);
  const reason = exhaustedText(exhausted);
  const error = new OciError('rateLimited', undefined, { headers, reason });
  if (isRegistryPath(request.path)) return error;
  // Docker shows of the token endpoint's errors only what looks like the registry's.
  const errors = request.path === TOKEN_PATH ? { errors: ociErrorBody(error).errors } : {};
  return new ApiError('rateLimited', reason, { headers, ...errors });
}
