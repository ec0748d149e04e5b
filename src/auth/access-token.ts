import { UNLIMITED } from '../access/credential-limits.js';
import type { RequestCredential } from '../http/request-context.js';
import type { Scope } from '../oci/scope.js';

/** What an access token says, beside `iss`, `aud`, `iat`, `exp` and `jti`. It never grants: rights are looked up live. */
export interface TokenGrant {
  /** `null` for a token that anybody may have. */
  readonly holder: TokenHolder | null;
  /** The credential that it was bought with, such as `password` or `offline:<family>`. */
  readonly label: string;
  /** `null` for the tokens of the JSON login, which reach whatever their user does. */
  readonly scopes: readonly Scope[] | null;
}

export interface TokenHolder {
  readonly userId: number;
  /** The token is void once the user's is another. */
  readonly credentialsVersion: number;
}

/** A token whose signature, issuer and audience were right. Its expiry and its holder are for each request to judge. */
export interface VerifiedToken {
  readonly holder: TokenHolder | null;
  readonly expiresAt: number;
  readonly credential: RequestCredential;
}

const ANONYMOUS_SUBJECT = 'anonymous';
const USER_SUBJECT = /^user:(\d{1,16})$/;

/** `access` is docker's claim, read by clients too; the other two are this registry's own. */
interface GrantClaims {
  readonly sub: string;
  readonly cred: string;
  readonly ver?: number;
  readonly access?: readonly Scope[];
}

export function claimsOf({ holder, label, scopes }: TokenGrant): GrantClaims {
  return {
    ...(holder ? { sub: `user:${holder.userId}`, ver: holder.credentialsVersion } : { sub: ANONYMOUS_SUBJECT }),
    cred: label,
    ...(scopes ? { access: scopes } : {}),
  };
}

/** Reads the claims of a token that this registry signed; `null` when another version of it meant something else. */
export function readClaims(claims: Readonly<Record<string, unknown>>): VerifiedToken | null {
  const { sub, cred, ver, exp, access } = claims;
  if (typeof sub !== 'string' || typeof cred !== 'string' || typeof exp !== 'number') return null;
  if (access !== undefined && !Array.isArray(access)) return null;
  // The signature says that these are scopes that this registry wrote.
  const scopes = access === undefined ? null : (access as Scope[]);
  const credential = { label: cred, expiresAt: exp, limits: UNLIMITED, scopes };
  if (sub === ANONYMOUS_SUBJECT) return scopes === null ? null : { holder: null, expiresAt: exp, credential };
  const [, userId] = USER_SUBJECT.exec(sub) ?? [];
  if (userId === undefined || typeof ver !== 'number') return null;
  return { holder: { userId: Number(userId), credentialsVersion: ver }, expiresAt: exp, credential };
}
