import { type CredentialLimits, isUnlimited, UNLIMITED } from '../../../access/credential-limits.js';
import type { Credential } from '../../../access/credential.js';
import type { Scope } from '../../../oci/scope.js';
import { claimsOfScopes, readScopes, type ScopeClaims } from '../../../oci/token-scopes.js';

/** What an access token says, beside `iss`, `aud`, `iat`, `exp` and `jti`. It never grants: rights are looked up live. */
export interface TokenGrant {
  /** `null` for an anonymous token. */
  readonly holder: TokenHolder | null;
  /** The credential that it was bought with, such as `password`, `offline:<family>` or `key:<id>`. */
  readonly label: string;
  /** What that credential may do. A key's limits never change, so the token's are the key's. */
  readonly limits: CredentialLimits;
  /** When that credential ends, seconds since the epoch: no token lives longer. */
  readonly endsAt: number | null;
  /** `null` for the tokens of the JSON login, which reach whatever their user does. */
  readonly scopes: readonly Scope[] | null;
}

export interface TokenHolder {
  readonly kind: 'user' | 'robot';
  readonly id: number;
  /** The token is void once the holder's is another. */
  readonly credentialsVersion: number;
}

/** A token whose signature, issuer and audience were right. Its expiry and its holder are for each request to judge. */
export interface VerifiedToken {
  readonly holder: TokenHolder | null;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly credential: Credential;
}

const ANONYMOUS_SUBJECT = 'anonymous';
const HOLDER_SUBJECT = /^(user|robot):(\d{1,16})$/;

/** `access` is docker's claim, read by clients too; the others are this registry's own. */
interface GrantClaims extends Partial<ScopeClaims> {
  readonly sub: string;
  readonly cred: string;
  readonly ver?: number;
  readonly limits?: CredentialLimits;
}

export function claimsOf({ holder, label, limits, scopes }: TokenGrant): GrantClaims {
  return {
    ...(holder ? { sub: `${holder.kind}:${holder.id}`, ver: holder.credentialsVersion } : { sub: ANONYMOUS_SUBJECT }),
    cred: label,
    ...(isUnlimited(limits) ? {} : { limits }),
    ...(scopes ? claimsOfScopes(scopes) : {}),
  };
}

/** Reads the claims of a token that this registry signed; `null` when another version of it meant something else. */
export function readClaims(claims: Readonly<Record<string, unknown>>): VerifiedToken | null {
  const { sub, cred, ver, iat, exp, access, hashed, limits } = claims;
  if (typeof sub !== 'string' || typeof cred !== 'string') return null;
  if (typeof iat !== 'number' || typeof exp !== 'number') return null;
  if (access !== undefined && !Array.isArray(access)) return null;
  if (hashed !== undefined && (typeof hashed !== 'object' || hashed === null)) return null;
  // The signature says that these are scopes and limits that this registry wrote.
  const scopes = access === undefined ? null : readScopes({ access, hashed } as ScopeClaims);
  const reach = limits === undefined ? UNLIMITED : (limits as CredentialLimits);
  const credential = { label: cred, expiresAt: exp, limits: reach, scopes };
  const times = { issuedAt: iat, expiresAt: exp };
  if (sub === ANONYMOUS_SUBJECT) return scopes === null ? null : { holder: null, ...times, credential };
  const [, kind, id] = HOLDER_SUBJECT.exec(sub) ?? [];
  if ((kind !== 'user' && kind !== 'robot') || typeof ver !== 'number') return null;
  return { holder: { kind, id: Number(id), credentialsVersion: ver }, ...times, credential };
}
