import type { Reply } from '../../support/http-exchange.js';
import type { RegistryClient } from '../../support/registry-client.js';
import { query } from '../left-behind.js';
import type { Told, Walk } from './walk.js';

const PASSWORD = 'a-long-password-for-the-walk';
const DOCKER = 'service=aerugo&client_id=docker';
const TOKEN = 'POST /api/v1/auth/token';

const idOf = (reply: Reply): string => reply.json<{ id: string }>().id;
const refreshToken = (reply: Reply): string => reply.json<{ refresh_token: string }>().refresh_token;

export async function newUser(walk: Walk, username: string): Promise<RegistryClient> {
  await walk.step({
    route: 'POST /api/v1/users',
    json: { username, password: PASSWORD },
    status: 201,
    events: [['user.created', `user:${username}`]],
  });
  return walk.as(username, PASSWORD);
}

/** Accounts as administrators manage them; `carol` is there afterwards. */
export async function walkAccounts(walk: Walk): Promise<void> {
  const carol = await newUser(walk, 'carol');
  const invite = () =>
    walk.step({
      route: 'POST /api/v1/invitations',
      json: {},
      status: 201,
      events: (reply) => [['invitation.created', `invitation:${idOf(reply)}`]],
    });
  const { code: invitation } = (await invite()).json<{ code: string }>();
  await walk.step({
    route: 'POST /api/v1/users',
    by: null,
    json: { username: 'dave', password: PASSWORD, invitation },
    status: 201,
    events: [['user.created', 'user:dave']],
  });
  const id = idOf(await invite());
  const revoked = { route: 'DELETE /api/v1/invitations/{id}', at: { id } };
  await walk.step({ ...revoked, status: 204, events: [['invitation.revoked', `invitation:${id}`]] });
  await walk.step({ ...revoked, status: 404, events: [] });

  const update = { route: 'PATCH /api/v1/users/{username}', at: { username: 'carol' }, status: 200 };
  const events: readonly Told[] = [['user.updated', 'user:carol']];
  await walk.step({ ...update, by: carol, json: { displayName: 'Carol' }, events });
  await walk.step({ ...update, json: { disabled: true, admin: true }, events });
  await walk.step({ ...update, json: { disabled: false, admin: false }, events });
  const reset = 'PUT /api/v1/users/{username}/password';
  await walk.step({
    route: reset,
    at: { username: 'carol' },
    json: { newPassword: PASSWORD },
    status: 204,
    events: [['password.reset', 'user:carol']],
  });
  await walk.step({
    route: reset,
    at: { username: 'nobody' },
    json: { newPassword: PASSWORD },
    status: 404,
    events: [],
  });
}

/** Logins and keys of `carol`. */
export async function walkCredentials(walk: Walk): Promise<void> {
  const by = walk.as('carol', PASSWORD);
  const change = { route: 'PUT /api/v1/auth/password', by };
  const passwords = { currentPassword: PASSWORD, newPassword: PASSWORD };
  await walk.step({ ...change, json: passwords, status: 204, events: [['password.changed', 'user:carol']] });
  await walk.step({ ...change, json: { ...passwords, currentPassword: 'wrong' }, status: 401, events: [] });

  const begun: readonly Told[] = [['session.created', 'user:carol']];
  const ended: readonly Told[] = [['session.revoked', 'user:carol']];
  const docker = { route: 'GET /api/v1/auth/token', by, status: 200, isOpen: true };
  await walk.step({ ...docker, query: DOCKER, events: [] });
  const offline = refreshToken(await walk.step({ ...docker, query: `${DOCKER}&offline_token=true`, events: begun }));
  const login = { username: 'carol', password: PASSWORD };
  const session = refreshToken(
    await walk.step({ route: TOKEN, by: null, json: login, status: 200, isOpen: true, events: begun }),
  );
  const refresh = { grant_type: 'refresh_token', refresh_token: session };
  await walk.step({ route: TOKEN, by: null, json: refresh, status: 200, events: [] });
  await walk.step({ route: TOKEN, by: null, json: refresh, status: 401, events: ended });
  const logout = { route: 'POST /api/v1/auth/logout', by: null, json: { refresh_token: offline }, status: 204 };
  await walk.step({ ...logout, events: ended });
  await walk.step({ ...logout, events: [] });

  const key = idOf(
    await walk.step({
      route: 'POST /api/v1/auth/keys',
      by,
      json: { name: 'laptop', scopes: ['repo:pull'], expiresAt: new Date(Date.now() + 86_400_000).toISOString() },
      status: 201,
      events: (reply) => [['key.created', `user:carol/key:${idOf(reply)}`]],
    }),
  );
  await walk.step({
    route: 'DELETE /api/v1/auth/keys/{id}',
    by,
    at: { id: key },
    status: 204,
    events: [['key.revoked', `user:carol/key:${key}`]],
  });
}

/** What goes with an account, and with the name of one. */
export async function walkEnds(walk: Walk): Promise<void> {
  const remove = { route: 'DELETE /api/v1/users/{username}', status: 204 };
  await walk.step({
    ...remove,
    at: { username: 'alice' },
    query: 'force=true&repositories=1',
    events: [
      ['repository.deleted', 'repo:alice/walked'],
      ['user.deleted', 'user:alice'],
    ],
  });
  await walk.step({ ...remove, at: { username: 'carol' }, events: [['user.deleted', 'user:carol']] });
  await walk.step({ ...remove, at: { username: 'nobody' }, status: 404, events: [] });
  const release = { route: 'POST /api/v1/namespaces/{name}/release', at: { name: 'alice' } };
  await walk.step({ ...release, status: 204, events: [['namespace.released', 'namespace:alice']] });
  await walk.step({ ...release, status: 404, events: [] });
  await walk.step({
    route: 'POST /api/v1/namespaces/release',
    json: { names: ['acme', 'alice'] },
    status: 200,
    events: [['namespace.released', 'namespace:acme']],
  });
  await walkJobs(walk);
  const check = '/api/v1/admin/fsck';
  await walk.step({ route: `POST ${check}`, json: { hash: true, bytesPerSecond: 1024 }, status: 202, events: [] });
  await walk.step({ route: `DELETE ${check}`, status: 204, events: [] });
}

/** A job that waits is cancelled; what it would have changed, its own events tell. */
async function walkJobs(walk: Walk): Promise<void> {
  const later = `INSERT INTO job (name, start_after) VALUES ('audit.partitions', now() + '1 day') RETURNING id`;
  const [job] = await query<{ id: string }>(walk.registry, later);
  const cancel = { route: 'DELETE /api/v1/admin/jobs/{id}', at: { id: String(job?.id) }, events: [] };
  await walk.step({ ...cancel, status: 204 });
  await walk.step({ ...cancel, status: 409 });
}
