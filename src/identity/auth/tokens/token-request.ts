import { parse } from 'node:querystring';
import { ApiError } from '../../../http/errors/api-error.js';
import type { Authorization } from '../authorization-header.js';
import { Refusal } from '../refusal.js';

/** Visible ASCII and spaces (RFC 6749, appendix A.1): it is stored with the token and in the audit log. */
const CLIENT_ID = /^[\x20-\x7e]{0,255}$/;

/** What the three ways of asking for a token come to. */
export type TokenRequest = LoginRequest | DockerRequest | RefreshRequest;

/** The JSON login: a session with a rotating refresh token, reaching whatever its user does. */
export interface LoginRequest {
  readonly kind: 'login';
  readonly username: string;
  readonly password: string;
}

/** Docker's token for some repositories; anonymous without a user. */
export interface DockerRequest {
  readonly kind: 'docker';
  readonly user: { readonly username: string; readonly password: string } | null;
  /** `scope` parameters as they came. */
  readonly scopes: readonly string[];
  readonly clientId: string | null;
  /** Whether a refresh token is asked for. */
  readonly isOffline: boolean;
}

export interface RefreshRequest {
  readonly kind: 'refresh';
  readonly refreshToken: string;
  readonly scopes: readonly string[];
  readonly clientId: string | null;
}

/** The body of the JSON login and its refresh. */
export interface JsonRequest {
  readonly grant_type?: 'password' | 'refresh_token';
  readonly username?: string;
  readonly password?: string;
  readonly refresh_token?: string;
}

/** Query strings and forms: a name that comes several times is a list, a nested one is none of ours. */
export type Parameters = Readonly<Record<string, unknown>>;

/** Of a URL: all of them, where Express would leave out those after the thousandth. */
export function parametersOf(url: string): Parameters {
  const start = url.indexOf('?');
  return start === -1 ? {} : parse(url.slice(start + 1), '&', '=', { maxKeys: 0 });
}

/** `GET`, as docker asks. Throws `Refusal` for an `Authorization` header that is no Basic. */
export function readQuery(query: Parameters, authorization: Authorization): DockerRequest {
  if (authorization.kind === 'bearer' || authorization.kind === 'unreadable') throw new Refusal('credentialsWrong');
  const { username = '', password = '' } = authorization.kind === 'basic' ? authorization : {};
  return {
    kind: 'docker',
    user: authorization.kind === 'basic' ? { username, password } : null,
    scopes: all(query, 'scope'),
    clientId: clientIdOf(query),
    isOffline: ['true', '1'].includes(first(query, 'offline_token') ?? ''),
  };
}

/** `POST` of a form, as OAuth 2 has it (RFC 6749 sections 4.3 and 6): what it does not know is ignored. */
export function readForm(form: Parameters): DockerRequest | RefreshRequest {
  const [scopes, clientId] = [all(form, 'scope'), clientIdOf(form)];
  const grantType = first(form, 'grant_type');
  if (grantType === 'refresh_token') {
    return { kind: 'refresh', refreshToken: need(form, 'refresh_token'), scopes, clientId };
  }
  if (grantType !== 'password') throw invalid('grant_type', 'must be password or refresh_token');
  const user = { username: need(form, 'username'), password: need(form, 'password') };
  return { kind: 'docker', user, scopes, clientId, isOffline: first(form, 'access_type') === 'offline' };
}

/** `POST` of JSON, already validated. */
export function readJson({ username, password, refresh_token }: JsonRequest): LoginRequest | RefreshRequest {
  if (refresh_token !== undefined) {
    return { kind: 'refresh', refreshToken: refresh_token, scopes: [], clientId: null };
  }
  if (username === undefined) throw invalid('username', 'is missing');
  if (password === undefined) throw invalid('password', 'is missing');
  return { kind: 'login', username, password };
}

function all(parameters: Parameters, name: string): string[] {
  return [parameters[name]].flat().filter((value) => typeof value === 'string');
}

function first(parameters: Parameters, name: string): string | null {
  return all(parameters, name)[0] ?? null;
}

function clientIdOf(parameters: Parameters): string | null {
  const text = first(parameters, 'client_id');
  if (text !== null && !CLIENT_ID.test(text)) throw invalid('client_id', 'must be at most 255 ASCII characters');
  return text;
}

function need(parameters: Parameters, name: string): string {
  const value = first(parameters, name);
  if (value === null) throw invalid(name, 'is missing');
  return value;
}

export function invalid(field: string, message: string): ApiError {
  return new ApiError('validationFailed', undefined, { errors: [{ field, message }] });
}
