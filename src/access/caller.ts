import type { Actor } from './actor.js';
import { type CredentialLimits, limitsOfScoped } from './credential-limits.js';
import type { Credential } from './credential.js';
import { type Principal, principalKey, type UserPrincipal } from './principal.js';

/** The sender of a request, as the access guard found it. */
export class Caller {
  constructor(
    readonly principal: Principal,
    readonly credential: Credential,
    /** The client's, as far as proxies are trusted. */
    readonly address: string | null,
  ) {}

  /** What the credential may do where no scope of a token decides: in lists, and row by row. */
  get limits(): CredentialLimits {
    const { limits, scopes } = this.credential;
    return scopes === null ? limits : limitsOfScoped(limits);
  }

  /** On routes whose rule admits only users. */
  get user(): UserPrincipal {
    if (this.principal.kind !== 'user') throw new Error('the rule of this route lets in more than users');
    return this.principal;
  }

  /** As events and histories keep the caller. */
  get actor(): Actor {
    return { principal: principalKey(this.principal), credential: this.credential.label, address: this.address };
  }
}

/** The caller as far as rights depend on it. */
export type CallerRights = Pick<Caller, 'principal' | 'limits'>;

/** A caller on routes that admit only users. */
export type CallingUser = Pick<Caller, 'user' | 'actor'>;
