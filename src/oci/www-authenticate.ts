import { formatScopes, type Scope } from './scope.js';

export interface BearerChallenge {
  /** The token endpoint's absolute URL. */
  readonly realm: string;
  readonly service: string;
  readonly scopes?: readonly Scope[];
  /** Only when a valid token was sent that does not cover the action. */
  readonly error?: 'insufficient_scope' | 'invalid_token';
}

/** The value of `WWW-Authenticate` that sends docker to the token endpoint. */
export function bearerChallenge({ realm, service, scopes = [], error }: BearerChallenge): string {
  const parameters = [`realm=${quoted(realm)}`, `service=${quoted(service)}`];
  if (scopes.length > 0) parameters.push(`scope=${quoted(formatScopes(scopes))}`);
  if (error !== undefined) parameters.push(`error=${quoted(error)}`);
  return `Bearer ${parameters.join(',')}`;
}

/** A quoted-string of RFC 9110, section 5.6.4; what a header cannot carry is left out. */
export function quoted(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')}"`;
}
