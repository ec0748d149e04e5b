// once: its Redis is its own, and no store takes part in it
import { beforeAll, describe, expect, it } from '@jest/globals';
import { signUp } from '../conformance/world.js';
import type { Headers } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';

const basicOf = (username: string, password: string): Headers => ({
  authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
});

/** One node with its embedded database, where facts live in memory; then two nodes over one database. */
const SETTINGS: readonly (readonly [string, () => Promise<[Registry, Registry]>])[] = [
  [
    'on one node with its own database',
    async () => {
      const node = await startRegistry({ database: 'embedded' });
      return [node, node];
    },
  ],
  [
    'on another node than the change was made on, with Redis between them',
    async () => {
      const node = await startRegistry({ redis: true });
      return [node, await startRegistry({ like: node })];
    },
  ],
  [
    'on another node than the change was made on, with nothing cached',
    async () => {
      const node = await startRegistry({ redis: false });
      return [node, await startRegistry({ like: node })];
    },
  ],
];

describe.each(SETTINGS)('what changes of a user, %s', (_setting, start) => {
  let admin: RegistryClient;
  /** Where the changes show. */
  let there: RegistryClient;

  beforeAll(async () => {
    const [changing, showing] = await start();
    admin = changing.client;
    there = showing.client.anonymous();
  }, 120_000);

  async function newUser(username: string): Promise<{ password: string; token: string; session: string }> {
    await signUp(admin, username);
    const password = `${username}-long-password-1`;
    const query = `service=aerugo&scope=repository:${username}/app:pull,push`;
    const docker = await there.raw('GET', `/api/v1/auth/token?${query}`, { headers: basicOf(username, password) });
    const login = await there.raw('POST', '/api/v1/auth/token', {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    });
    const { token } = docker.expect(200).json<{ token: string }>();
    const { token: session } = login.expect(200).json<{ token: string }>();
    return { password, token, session };
  }

  const push = async (username: string, headers: Headers): Promise<number> =>
    (await there.raw('POST', `/v2/${username}/app/blobs/uploads/`, { headers })).status;
  const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

  interface Refreshable {
    readonly token: string;
    readonly refresh_token: string;
  }

  async function keyOf(username: string, password: string): Promise<string> {
    const body = { name: 'ci', scopes: ['repo:pull', 'repo:push'] };
    const made = await admin.as(username, password, 'basic').api('POST', '/api/v1/auth/keys', body).expect(201);
    return made.json<{ key: string }>().key;
  }

  async function dockerLogin(username: string, password: string): Promise<Refreshable> {
    const form = {
      grant_type: 'password',
      service: 'aerugo',
      client_id: 'docker',
      access_type: 'offline',
      username,
      password,
    };
    return (await tokenForm({ ...form, scope: `repository:${username}/app:push` }).expect(200)).json<Refreshable>();
  }

  async function jsonLogin(username: string, password: string): Promise<Refreshable> {
    return (await tokenJson({ username, password }).expect(200)).json<Refreshable>();
  }

  const tokenForm = (form: Record<string, string>) =>
    there.raw('POST', '/api/v1/auth/token', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    });
  const tokenJson = (body: object) =>
    there.raw('POST', '/api/v1/auth/token', {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  /** Of a docker login, docker login with a key, JSON login. */
  const refreshes = async (dockers: readonly Refreshable[], json: Refreshable): Promise<number[]> => {
    const statuses = [(await tokenJson({ grant_type: 'refresh_token', refresh_token: json.refresh_token })).status];
    for (const { refresh_token } of dockers) {
      const form = { grant_type: 'refresh_token', service: 'aerugo', client_id: 'docker', refresh_token };
      statuses.push((await tokenForm(form)).status);
    }
    return statuses;
  };

  it('refuses every credential of a disabled user from the next request on, and password and keys alone come back', async () => {
    const { password, token, session } = await newUser('carol');
    const key = await keyOf('carol', password);
    const json = await jsonLogin('carol', password);
    const dockers = [await dockerLogin('carol', password), await dockerLogin('carol', key)];
    const passwords = [basicOf('carol', password), basicOf('carol', key), bearer(key)];
    const tokens = [token, session, json.token, ...dockers.map((login) => login.token)].map(bearer);
    for (const headers of [...passwords, ...tokens]) expect(await push('carol', headers)).toBe(202);
    await admin.api('PATCH', '/api/v1/users/carol', { disabled: true }).expect(200);
    for (const headers of [...passwords, ...tokens]) expect(await push('carol', headers)).toBe(401);
    expect(await refreshes(dockers, json)).toEqual([401, 401, 401]);

    await admin.api('PATCH', '/api/v1/users/carol', { disabled: false }).expect(200);
    for (const headers of tokens) expect(await push('carol', headers)).toBe(401);
    expect(await refreshes(dockers, json)).toEqual([401, 401, 401]);
    for (const headers of passwords) expect(await push('carol', headers)).toBe(202);
    await admin.api('PATCH', '/api/v1/users/carol', { disabled: false, displayName: 'Carol' }).expect(200);
    expect(await refreshes([await dockerLogin('carol', key)], await jsonLogin('carol', password))).toEqual([200, 200]);
  });

  it('refuses the tokens of a disabled robot, also when it is enabled again, and takes its key', async () => {
    await admin.api('POST', '/api/v1/orgs', { name: 'robots' }).expect(201);
    const robots = '/api/v1/orgs/robots/robots';
    await admin.api('POST', robots, { name: 'ci' }).expect(201);
    const body = { name: 'ci', scopes: ['repo:pull', 'repo:push'] };
    const { key } = (await admin.api('POST', `${robots}/ci/keys`, body).expect(201)).json<{ key: string }>();
    await admin.api('PUT', '/api/v1/repos/robots/app', {}).expect(201);
    const grants = [{ kind: 'robot', name: 'ci', role: 'write' }];
    await admin.api('PUT', '/api/v1/repos/robots/app/permissions', { grants }).expect(200);
    const buy = async (): Promise<string> => {
      const path = '/api/v1/auth/token?service=aerugo&scope=repository:robots/app:push,pull';
      return (await there.raw('GET', path, { headers: basicOf('robot-robots.ci', key) }).expect(200)).json<{
        token: string;
      }>().token;
    };
    const token = await buy();
    const act = (headers: Headers): Promise<number> => push('robots', headers);
    expect([await act(bearer(token)), await act(bearer(key))]).toEqual([202, 202]);
    await admin.api('PATCH', `${robots}/ci`, { disabled: true }).expect(200);
    expect([await act(bearer(token)), await act(bearer(key))]).toEqual([401, 401]);
    await admin.api('PATCH', `${robots}/ci`, { disabled: false }).expect(200);
    expect([await act(bearer(token)), await act(bearer(key))]).toEqual([401, 202]);
    await admin.api('PATCH', `${robots}/ci`, { description: 'the same tokens' }).expect(200);
    const later = await buy();
    await admin.api('PATCH', `${robots}/ci`, { description: 'still' }).expect(200);
    expect(await act(bearer(later))).toBe(202);
  });

  it('ends every session when the password changes, and takes only the new one', async () => {
    const { password, token, session } = await newUser('dave');
    expect(await push('dave', basicOf('dave', password))).toBe(202);
    const body = { currentPassword: password, newPassword: 'quite another one' };
    await admin.as('dave', password, 'basic').api('PUT', '/api/v1/auth/password', body).expect(204);
    for (const headers of [basicOf('dave', password), bearer(token), bearer(session)]) {
      expect(await push('dave', headers)).toBe(401);
    }
    expect(await push('dave', basicOf('dave', body.newPassword))).toBe(202);
  });

  it('gives and takes the rights of an administrator', async () => {
    const { session } = await newUser('erin');
    const read = async (): Promise<number> =>
      (await there.raw('GET', '/api/v1/users/admin', { headers: bearer(session) })).status;
    expect(await read()).toBe(404);
    await admin.api('PATCH', '/api/v1/users/erin', { admin: true }).expect(200);
    expect(await read()).toBe(200);
    await admin.api('PATCH', '/api/v1/users/erin', { admin: false }).expect(200);
    expect(await read()).toBe(404);
  });
});

describe.each([
  ['counted in Redis', true],
  ['counted by the node', false],
])('guessing passwords, %s', (_where, redis) => {
  let registry: Registry;

  beforeAll(async () => {
    registry = await startRegistry({ redis, env: { TRUSTED_PROXIES: 'loopback' } });
    await signUp(registry.client, 'alice');
  }, 90_000);

  const from = (address: string, headers: Headers): Headers => ({ ...headers, 'x-forwarded-for': address });
  const ping = async (address: string, username: string, password: string): Promise<number> =>
    (await registry.client.raw('GET', '/v2/', { headers: from(address, basicOf(username, password)) })).status;

  it('is stopped for that account at that address, on every way in, while the account stays open elsewhere', async () => {
    for (let i = 0; i < 10; i++) expect(await ping('192.0.2.1', 'alice', `wrong ${i}`)).toBe(401);
    const headers = from('192.0.2.1', basicOf('alice', 'wrong again'));
    await registry.client
      .raw('GET', '/v2/', { headers })
      .expect(429, { code: 'TOOMANYREQUESTS', headers: { 'retry-after': /^[1-9]\d*$/ } });
    const problem = await registry.client
      .raw('GET', '/api/v1/auth/token', { headers })
      .expect(429, { headers: { 'retry-after': /^[1-9]\d*$/, 'content-type': 'application/problem+json' } });
    expect(problem.json()).toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    const body = JSON.stringify({ username: 'alice', password: 'wrong once more' });
    const json = from('192.0.2.1', { 'content-type': 'application/json' });
    await registry.client.raw('POST', '/api/v1/auth/token', { headers: json, body }).expect(429);
    expect(await ping('192.0.2.2', 'alice', 'alice-long-password-1')).toBe(200);
    expect(await ping('192.0.2.1', 'admin', registry.password)).toBe(200);
  });

  it('is stopped for accounts that do not exist just the same', async () => {
    for (let i = 0; i < 10; i++) expect(await ping('192.0.2.3', 'nobody', `wrong ${i}`)).toBe(401);
    expect(await ping('192.0.2.3', 'nobody', 'wrong')).toBe(429);
  });

  it('many at once get no more guesses than one after the other', async () => {
    const statuses = await Promise.all(Array.from({ length: 40 }, (_, i) => ping('192.0.2.4', 'alice', `wrong ${i}`)));
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(30);
  });

  it('starts anew after the right password', async () => {
    await signUp(registry.client, 'frank');
    for (let i = 0; i < 9; i++) await ping('192.0.2.5', 'frank', `wrong ${i}`);
    expect(await ping('192.0.2.5', 'frank', 'frank-long-password-1')).toBe(200);
    for (let i = 0; i < 9; i++) expect(await ping('192.0.2.5', 'frank', `wrong ${i}`)).toBe(401);
  });

  it('leaves no secret in the log', async () => {
    const token = await registry.client.token('repository:admin/app:pull');
    await registry.client.raw('GET', '/v2/', { headers: { authorization: `Bearer ${token}` } }).expect(200);
    const body = JSON.stringify({ username: 'admin', password: registry.password });
    const reply = await registry.client.raw('POST', '/api/v1/auth/token', {
      headers: { 'content-type': 'application/json' },
      body,
    });
    const { refresh_token: refresh } = reply.json<{ refresh_token: string }>();
    await registry.stop();
    const log = registry.logs();
    expect(log).toContain('"path":"/v2/"');
    for (const secret of [
      registry.password,
      token,
      refresh,
      'wrong again',
      registry.env['JWT_SECRET'] ?? '',
      'Basic ',
    ]) {
      expect(log).not.toContain(secret);
    }
  });
});
