import { errorCode } from '../../config/error-code.js';
import { CliError, EXIT_CODES } from '../exit-codes.js';
import type { LocalNode } from '../local-node.js';
import { send } from '../push/http.js';
import type { Administration, ShownKey, ShownUser } from './administration.js';
import { type Problem, refusal } from './refusal.js';

export interface Login {
  readonly username: string;
  readonly password: string;
}

const TIMEOUT_MS = 30_000;
const KEYS = '/api/v1/auth/keys';

/** Through the API of a running node, with a login. Throws `CliError` when there is none, or it refuses. */
export async function openOverHttp(node: LocalNode, login: Login): Promise<Administration> {
  const ask = <T>(method: string, path: string, body?: object): Promise<T> => request(node, login, method, path, body);
  await ask('GET', '/api/v1/auth/me');
  const userPath = (username: string): string => `/api/v1/users/${encodeURIComponent(username)}`;
  return {
    createUser: (user) => ask<ShownUser>('POST', '/api/v1/users', user),
    resetPassword: (username, newPassword) =>
      username === login.username
        ? ask('PUT', '/api/v1/auth/password', { currentPassword: login.password, newPassword })
        : ask('PUT', `${userPath(username)}/password`, { newPassword }),
    setDisabled: (username, disabled) => ask<ShownUser>('PATCH', userPath(username), { disabled }),
    createKey: async (username, key) => ask(...own(login, username, 'POST', KEYS), key),
    listKeys: async (username) =>
      (await ask<{ items: ShownKey[] }>(...own(login, username, 'GET', `${KEYS}?limit=1000`))).items,
    revokeKey: async (username, id) => ask(...own(login, username, 'DELETE', `${KEYS}/${encodeURIComponent(id)}`)),
    close: () => Promise.resolve(),
  };
}

/** The API shows keys to their owner alone. */
function own(login: Login, username: string, method: string, path: string): [method: string, path: string] {
  if (login.username === username) return [method, path];
  throw new CliError(
    `through a node the keys of ${username} are for ${username} alone: log in with --username ${username}`,
    EXIT_CODES.refused,
  );
}

/** One request of the API. Throws `CliError` with its words when it refuses, or when no node answers. */
export async function request<T>(
  { url: node, agent }: LocalNode,
  { username, password }: Login,
  method: string,
  path: string,
  body?: object,
): Promise<T> {
  // It follows no redirect: the password is for this server.
  const reply = await send({
    method,
    url: new URL(path, node),
    agent,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
  }).catch((error: unknown) => {
    throw error instanceof CliError ? error : unreachable(node, error);
  });
  const answer = parsed(reply.body.toString());
  if (reply.status >= 200 && reply.status < 300) return answer as T;
  if (isProblem(answer)) throw refusal(reply.status, answer);
  throw new CliError(`${node.origin} answered ${reply.status}, and not as an Aerugo node does`);
}

function unreachable(url: URL, error: unknown): CliError {
  return new CliError(
    `no node answers at ${url.origin} (${errorCode(error)}): start it with "aerugo serve" or "npm start", ` +
      'or name another one with --url',
    EXIT_CODES.failed,
    { cause: error },
  );
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function isProblem(answer: unknown): answer is Problem {
  return typeof answer === 'object' && answer !== null && 'title' in answer && typeof answer.title === 'string';
}
