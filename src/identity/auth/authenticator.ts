import { type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { LRUCache } from 'lru-cache';
import { UNLIMITED } from '../../access/credential-limits.js';
import { ANONYMOUS, type Principal } from '../../access/principal.js';
import type { Credential } from '../../access/credential.js';
import { RequestLimitsService } from '../../operations/limits/request-limits.service.js';
import type { TokenHolder, VerifiedToken } from './tokens/access-token.js';
import { looksLikeKey } from '../keys/api-key-text.js';
import { readAuthorization } from './authorization-header.js';
import { CredentialsService, type Login } from './credentials.service.js';
import { JwtGuard } from './jwt.strategy.js';
import { type PrincipalState, type PrincipalStateRequest, PrincipalStateService } from './principal-state.service.js';
import { Refusal } from './refusal.js';

export interface Authenticated {
  readonly principal: Principal;
  readonly credential: Credential;
  /** Whom the live facts are about; `null` for anonymous callers. */
  readonly holder: TokenHolder | null;
  /** When it was last certain that the credential was not revoked; seconds since the epoch. */
  readonly issuedAt: number;
}

/** A token whose signature needs no second look, and whom to ask the cache for on each request. */
interface KnownToken extends VerifiedToken {
  readonly live: PrincipalStateRequest | null;
}

/** As a rule a token has a few hundred characters, and what it says takes as much again. */
const MAX_TOKENS = 10_000;
const MAX_CHARACTERS = 16 * 1024 * 1024;

const NO_CREDENTIAL: Credential = { label: 'anonymous', expiresAt: null, limits: UNLIMITED, scopes: null };
/** The request had no credentials. */
export const NOBODY: Authenticated = { principal: ANONYMOUS, credential: NO_CREDENTIAL, holder: null, issuedAt: 0 };

/** Finds out who calls. What it remembers is who signed what; whether that still counts is asked each time. */
@Injectable()
export class Authenticator {
  private readonly tokens = new LRUCache<string, KnownToken>({
    max: MAX_TOKENS,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: (_, token) => token.length,
  });

  constructor(
    private readonly jwt: JwtGuard,
    private readonly principalStates: PrincipalStateService,
    private readonly credentials: CredentialsService,
    private readonly limits: RequestLimitsService,
  ) {}

  /**
   * `NOBODY` without credentials; wrong ones throw `Refusal`, too many 429. A token may be past its expiry by `graceSeconds`.
   */
  async authenticate(context: ExecutionContext, request: Request, graceSeconds: number): Promise<Authenticated> {
    let caller: Authenticated;
    try {
      caller = await this.identify(context, request, graceSeconds);
    } catch (error) {
      if (error instanceof Refusal) this.limits.countStranger(request);
      throw error;
    }
    this.limits.countCaller(caller.principal, request);
    return caller;
  }

  /**
   * The same caller by the facts of now: one that was disabled or revoked meanwhile is refused. Neither the secret nor its
   * end is looked at once more, since it was good when the request began, and nothing is counted. Throws `Refusal`.
   */
  async again(caller: Authenticated): Promise<Authenticated> {
    if (caller.holder === null) return caller;
    const live = await this.principalStates.read(this.principalStates.request(caller.holder));
    return this.callerOf(caller, live);
  }

  /** One that brings its credential in its body, before anything of that is looked at. Throws 429. */
  countTokenRequest(request: Request): void {
    this.limits.countTokenRequest(request);
  }

  private identify(
    context: ExecutionContext,
    request: Request,
    graceSeconds: number,
  ): Authenticated | Promise<Authenticated> {
    const authorization = readAuthorization(request.headers.authorization);
    switch (authorization.kind) {
      case 'none':
        return NOBODY;
      case 'bearer': {
        const known = this.tokens.get(authorization.token);
        if (known) return this.holderOf(known, graceSeconds);
        if (looksLikeKey(authorization.token)) return this.byKey(authorization.token, request);
        return this.verify(authorization.token, context, request, graceSeconds);
      }
      case 'basic':
        return this.byPassword(authorization.username, authorization.password, request);
      case 'unreadable':
        throw new Refusal('credentialsWrong');
    }
  }

  private async verify(
    token: string,
    context: ExecutionContext,
    request: Request,
    grace: number,
  ): Promise<Authenticated> {
    await this.jwt.canActivate(context);
    const verified = request.user as VerifiedToken;
    const known = { ...verified, live: verified.holder && this.principalStates.request(verified.holder) };
    this.tokens.set(token, known);
    return this.holderOf(known, grace);
  }

  private async holderOf(token: KnownToken, graceSeconds: number): Promise<Authenticated> {
    if (token.expiresAt + graceSeconds <= Date.now() / 1000) throw new Refusal('tokenInvalid');
    if (token.live === null) return { ...NOBODY, credential: token.credential };
    return this.callerOf(token, await this.principalStates.read(token.live));
  }

  private async callerOf(claimed: Claimed, live: PrincipalState | null): Promise<Authenticated> {
    const { holder, credential, issuedAt } = claimed;
    const judged = holder && (await this.principalStates.judge(live, { holder, label: credential.label, issuedAt }));
    return callerAs(claimed, judged);
  }

  private async byPassword(username: string, password: string, request: Request): Promise<Authenticated> {
    request.context.claimedName = username;
    return callerBy(await this.credentials.login(username, password, request.ip ?? ''));
  }

  private async byKey(text: string, request: Request): Promise<Authenticated> {
    return callerBy(await this.credentials.key(text, request.ip ?? ''));
  }
}

function callerBy({ principal, holder, label, limits, endsAt }: Login): Authenticated {
  const credential = { label, limits, expiresAt: endsAt, scopes: null };
  return { principal, holder, credential, issuedAt: Date.now() / 1000 };
}

type Claimed = Pick<KnownToken, 'holder' | 'credential' | 'issuedAt'>;

function callerAs(
  { holder, credential, issuedAt }: Claimed,
  principal: Authenticated['principal'] | null,
): Authenticated {
  if (!principal) throw new Refusal('tokenInvalid');
  return { principal, credential, holder, issuedAt };
}
