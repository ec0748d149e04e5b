import { CliError, EXIT_CODES } from '../exit-codes.js';
import type { Credentials, Password } from './credentials.js';
import { send } from './http.js';
import { readJson, reasonOf } from './reason.js';
import { mayPass, tryLater } from './retry.js';
import { isThisMachine } from './target.js';

export interface TokenWish {
  /** The registry, for what goes wrong. */
  readonly host: string;
  /** `https://…`, or `http://…` where it is spoken to without TLS. */
  readonly origin: string;
  readonly scope: string;
  /** The trace of the push; it identifies no user. */
  readonly traceparent: string;
}

/** From where the challenge says. Throws `TryLater` for what may pass, and a `CliError`. */
export async function fetchToken(
  challenge: string,
  { host, origin, scope, traceparent }: TokenWish,
  credentials: Credentials | null,
  signal: AbortSignal,
): Promise<string> {
  const { realm = '', service } = parameters(challenge);
  const url = URL.canParse(realm) ? new URL(realm) : null;
  if (url === null) throw new CliError(`${host} names no place to get a token`);
  // Another host is usual, an open connection is not: a password would be read on its way.
  if (!isAsSafe(url, new URL(origin))) {
    throw new CliError(`${host} wants the login sent without TLS: it is not sent`, EXIT_CODES.refused);
  }
  const wish = new URLSearchParams({ ...(service === undefined ? {} : { service }), scope });
  const { headers, ...request } = requestFor(url, wish, credentials);
  const reply = await send({ ...request, headers: { traceparent, ...headers }, url, signal });
  if (mayPass(reply.status)) throw tryLater('the token service', reply);
  const token = reply.status === 200 ? tokenOf(reply.body) : null;
  if (token !== null) return token;
  if (credentials === null) throw new CliError(`${url.host} gives no token: log in first`, EXIT_CODES.refused);
  const reason = reasonOf(reply.body) ?? 'no reason given';
  throw new CliError(`${url.host} refuses the login (${reply.status}): ${reason}; log in again`, EXIT_CODES.refused);
}

/** Plain HTTP to this machine crosses no network, so it is no leave to send a login across one. */
function isAsSafe(realm: URL, registry: URL): boolean {
  if (realm.protocol === 'https:') return true;
  if (realm.protocol !== 'http:' || registry.protocol !== 'http:') return false;
  return !isThisMachine(registry.host) || isThisMachine(realm.host);
}

export function basicOf({ username, password }: Password): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** A password goes in the header of a GET, as docker's do; an identity token is a refresh token (RFC 6749 section 6). */
function requestFor(url: URL, wish: URLSearchParams, credentials: Credentials | null) {
  if (credentials !== null && 'identityToken' in credentials) {
    const grant = { grant_type: 'refresh_token', refresh_token: credentials.identityToken, client_id: 'aerugo' };
    return {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(new URLSearchParams([...wish, ...Object.entries(grant)]).toString()),
    };
  }
  for (const [name, value] of wish) url.searchParams.set(name, value);
  return { method: 'GET', headers: credentials === null ? {} : { authorization: basicOf(credentials) } };
}

/** Of a challenge: `realm="https://…",service="…"`. */
function parameters(challenge: string): Partial<Record<string, string>> {
  return Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value]) => [name, value]));
}

function tokenOf(body: Buffer): string | null {
  const { token, access_token: other } = readJson(body);
  const found = token ?? other;
  return typeof found === 'string' ? found : null;
}
