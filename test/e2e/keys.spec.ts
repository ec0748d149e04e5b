import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Document, pushedImage } from '../conformance/documents.js';
import { useWorld } from '../conformance/world.js';
import type { Exchange, Headers, Reply } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { query } from './left-behind.js';

interface Key {
  readonly id: string;
  readonly key: string;
  readonly name: string;
}

interface TokenAnswer {
  readonly token: string;
  readonly refresh_token?: string;
  readonly scope?: string;
  readonly expires_in: number;
}

const world = useWorld();
const KEYS = '/api/v1/auth/keys';
const TOKEN = '/api/v1/auth/token';
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });
const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

let app: Document;
let other: Document;

beforeAll(async () => {
  app = await pushedImage(world.alice, 'alice/app', 'v1');
  other = await pushedImage(world.alice, 'alice/other', 'v1');
}, 60_000);

async function newKey(fields: object = {}, holder: RegistryClient = world.alice): Promise<Key> {
  const body = { name: 'a key', scopes: ['repo:pull'], ...fields };
  return (await holder.api('POST', KEYS, body).expect(201)).json<Key>();
}

/** With the key as Bearer. */
const by = (key: string, method: string, path: string): Exchange =>
  world.anonymous.raw(method, path, { headers: bearer(key) });
/** As docker, with the key as the password of its holder. */
const docker = (key: string, username = 'alice'): RegistryClient => world.admin.as(username, key);
const pull = (key: string, repository: string): Exchange => by(key, 'GET', `/v2/${repository}/manifests/v1`);
const push = (key: string, repository: string): Exchange => by(key, 'POST', `/v2/${repository}/blobs/uploads/`);

const offline = (key: string): Exchange =>
  world.anonymous.raw('POST', TOKEN, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'password',
      username: 'alice',
      password: key,
      client_id: 'docker',
      access_type: 'offline',
      scope: 'repository:alice/app:pull,push',
    }).toString(),
  });
const again = (token: string, scope = 'repository:alice/app:pull,push'): Exchange =>
  world.anonymous.raw('POST', TOKEN, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: token,
      client_id: 'docker',
      scope,
    }).toString(),
  });

function expectProblem(reply: Reply, status: number, code: string): void {
  expect(reply.expect(status).json()).toMatchObject({ code });
}

describe('API keys', () => {
  it('are made, shown once, listed without the secret, and revoked', async () => {
    const expiresAt = inSeconds(3600);
    const body = { name: 'laptop', scopes: ['repo:pull', 'manage'], repositories: ['alice', 'acme/team/*'], expiresAt };
    const reply = await world.bob.api('POST', KEYS, body).expect(201);
    const { id, key } = reply.json<Key>();
    expect(reply.need('location')).toBe(`${KEYS}/${id}`);
    expect(key).toMatch(/^aerugo_pat_[0-9A-Za-z]{38}$/);
    const shown = { ...body, id, lastUsedAt: null, lastUsedAddress: null, createdAt: expect.any(String) };
    expect(reply.json()).toEqual({ ...shown, key });
    const list = await world.bob.api('GET', KEYS).expect(200);
    expect(list.json()).toEqual({ items: [shown], next: null });
    await world.bob.api('DELETE', `${KEYS}/${id}`).expect(204);
    expect((await world.bob.api('GET', KEYS)).json()).toEqual({ items: [], next: null });
    const rows = await query(
      world.registry,
      'SELECT action, detail::text FROM audit_events WHERE resource = $1 ORDER BY at',
      [`user:bob/key:${id}`],
    );
    expect(rows.map(({ action }) => String(action))).toEqual(['key.create', 'key.revoke']);
    expect(JSON.stringify(rows)).not.toContain(key);
  });

  it.each([
    [{ name: '' }, 'name'],
    [{ name: 'x'.repeat(101) }, 'name'],
    [{ scopes: [] }, 'scopes'],
    [{ scopes: ['repo:fly'] }, 'scopes'],
    [{ scopes: ['repo:pull', 'repo:pull'] }, 'scopes'],
    [{ scopes: 'repo:pull' }, 'scopes'],
    [{ repositories: [] }, 'repositories'],
    [{ repositories: ['acme/a*'] }, 'repositories'],
    [{ repositories: ['ACME'] }, 'repositories'],
    [{ repositories: Array.from({ length: 51 }, (_, i) => `acme/r${i}`) }, 'repositories'],
    [{ expiresAt: '2001-01-01T00:00:00Z' }, 'expiresAt'],
    [{ expiresAt: null }, 'expiresAt'],
  ])('are not made of %j', async (fields, field) => {
    const reply = await world.alice.api('POST', KEYS, { name: 'k', scopes: ['repo:pull'], ...fields }).expect(400);
    expect(reply.json()['errors']).toEqual([expect.objectContaining({ field })]);
  });

  it('are paged in the order in which they were made', async () => {
    const made = [];
    for (const name of ['a', 'b', 'c']) made.push((await newKey({ name }, world.bob)).id);
    const first = await world.bob.api('GET', `${KEYS}?limit=2`).expect(200);
    const { items, next } = first.json<{ items: Key[]; next: string }>();
    const rest = (await world.bob.api('GET', `${KEYS}?limit=2&cursor=${next}`)).json<{ items: Key[]; next: null }>();
    expect([...items, ...rest.items].map(({ id }) => id)).toEqual(made);
    expect(rest.next).toBeNull();
    for (const id of made) await world.bob.api('DELETE', `${KEYS}/${id}`).expect(204);
  });

  it('repeated under an Idempotency-Key, a create shows the same key', async () => {
    const headers = { 'idempotency-key': 'once' };
    const body = { name: 'once', scopes: ['repo:pull'] };
    const [first, second] = await Promise.all([1, 2].map(() => world.alice.api('POST', KEYS, body, headers)));
    expect(first?.expect(201).json()).toEqual(second?.expect(201).json());
  });

  it('are nobody else’s to revoke, and what is no id is none', async () => {
    const { id, key } = await newKey();
    expectProblem(await world.bob.api('DELETE', `${KEYS}/${id}`), 404, 'NOT_FOUND');
    expectProblem(await world.alice.api('DELETE', `${KEYS}/nothing`), 404, 'NOT_FOUND');
    await pull(key, 'alice/app').expect(200);
  });

  it('open what their scopes say, as Bearer on both interfaces', async () => {
    const { key } = await newKey();
    await pull(key, 'alice/app').expect(200);
    await push(key, 'alice/app').expect(403);
    await by(key, 'GET', '/api/v1/repos/alice/app').expect(200);
    await world.anonymous
      .raw('PATCH', '/api/v1/repos/alice/app', {
        headers: { ...bearer(key), 'content-type': 'application/json' },
        body: '{"description":"x"}',
      })
      .expect(403);
    await by(key, 'DELETE', '/api/v1/users/alice').expect(403);
    const me = (await by(key, 'GET', '/api/v1/auth/me').expect(200)).json();
    expect(me).toMatchObject({
      name: 'alice',
      credential: { kind: 'key', scopes: ['repo:pull'], repositories: null, expiresAt: null },
    });
    await push((await newKey({ scopes: ['repo:push', 'repo:pull'] })).key, 'alice/app').expect(202);
  });

  it('never open the account itself, whatever their scopes', async () => {
    const { id, key } = await newKey({ scopes: ['repo:pull', 'repo:push', 'repo:delete', 'manage'] });
    await by(key, 'GET', KEYS).expect(403);
    await by(key, 'DELETE', `${KEYS}/${id}`).expect(403);
    const headers = { ...bearer(key), 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'next', scopes: ['repo:pull'] });
    await world.anonymous.raw('POST', KEYS, { headers, body }).expect(403);
    const change = JSON.stringify({ currentPassword: key, newPassword: 'another-long-one' });
    await world.anonymous.raw('PUT', '/api/v1/auth/password', { headers, body: change }).expect(403);
    const login = JSON.stringify({ username: 'alice', password: key });
    const json = { headers: { 'content-type': 'application/json' }, body: login };
    expectProblem(await world.anonymous.raw('POST', TOKEN, json), 401, 'INVALID_CREDENTIALS');
  });

  it('of an administrator to pull administer nothing', async () => {
    const { key } = await newKey({}, world.admin);
    await by(key, 'GET', '/api/v1/users').expect(403);
    await by(key, 'GET', '/api/v1/users/alice').expect(404);
    await pull(key, 'alice/app').expect(200);
    const { key: managing } = await newKey({ scopes: ['manage'] }, world.admin);
    await by(managing, 'GET', '/api/v1/users').expect(200);
    await pull(managing, 'alice/app').expect(403);
  });

  it('limited to a repository see that one only, and the catalog as far', async () => {
    const { key } = await newKey({ scopes: ['repo:pull', 'repo:push', 'manage'], repositories: ['alice/app'] });
    await pull(key, 'alice/app').expect(200);
    await push(key, 'alice/app').expect(202);
    await pull(key, 'alice/other').expect(404, { code: 'NAME_UNKNOWN' });
    await push(key, 'alice/other').expect(404);
    await by(key, 'GET', '/api/v1/repos/alice/other').expect(404);
    expect((await by(key, 'GET', '/v2/_catalog').expect(200)).json()).toEqual({ repositories: ['alice/app'] });
    await world.setVisibility('alice/other', 'public');
    await pull(key, 'alice/other').expect(403, { code: 'DENIED' });
    expect((await by(key, 'GET', '/v2/_catalog').expect(200)).json()).toEqual({ repositories: ['alice/app'] });
    await world.setVisibility('alice/other', 'private');
    await by(key, 'DELETE', '/api/v1/users/alice').expect(403);
  });

  it('are docker’s password, under their holder’s name alone', async () => {
    const { key } = await newKey({ repositories: ['alice/app'] });
    await docker(key).getManifest('alice/app', 'v1').expect(200, { digest: app.digest });
    const basic = world.admin.as('alice', key, 'basic');
    await basic.getManifest('alice/app', 'v1').expect(200);
    await basic.getManifest('alice/other', 'v1').expect(404);
    const token = await docker(key).token('repository:alice/app:pull,push', 'repository:alice/other:pull');
    await by(token, 'GET', '/v2/alice/app/manifests/v1').expect(200);
    await by(token, 'POST', '/v2/alice/app/blobs/uploads/').expect(403);
    await by(token, 'GET', `/v2/alice/other/manifests/${other.digest}`).expect(404);
    await world.admin.as('bob', key, 'basic').request('GET', '/v2/').expect(401);
    await world.admin
      .as('bob', key, 'basic')
      .raw('GET', TOKEN, { headers: basicOf('bob', key) })
      .expect(401);
  });

  it('that are none are refused', async () => {
    const { key } = await newKey();
    for (const text of [`${key.slice(0, -1)}?`, key.replace('_pat_', '_bot_'), 'aerugo_pat_', key.slice(0, -1)]) {
      await by(text, 'GET', '/v2/').expect(401);
      await by(text, 'GET', '/api/v1/auth/me').expect(401);
    }
  });

  it('revoked, end on the next request with all that they bought', async () => {
    const { id, key } = await newKey({ scopes: ['repo:pull', 'repo:push'] });
    const bought = (await offline(key).expect(200)).json<TokenAnswer>();
    const token = await docker(key).token('repository:alice/app:pull');
    const all = [key, token, bought.token];
    for (const credential of all) await pull(credential, 'alice/app').expect(200);
    await world.alice.api('DELETE', `${KEYS}/${id}`).expect(204);
    for (const credential of all) await pull(credential, 'alice/app').expect(401);
    await again(bought.refresh_token ?? '').expect(401);
    await offline(key).expect(401);
  });

  it('sell docker’s refresh tokens with their own limits, and no longer than they last', async () => {
    const { key } = await newKey({ repositories: ['alice/app'], expiresAt: inSeconds(20) });
    const first = (await offline(key).expect(200)).json<TokenAnswer>();
    expect(first.scope).toBe('repository:alice/app:pull');
    expect(first.expires_in).toBeLessThanOrEqual(20);
    const next = (await again(first.refresh_token ?? '').expect(200)).json<TokenAnswer>();
    expect(next.scope).toBe('repository:alice/app:pull');
    expect(next.expires_in).toBeLessThanOrEqual(20);
    await push(next.token, 'alice/app').expect(403);
    const elsewhere = (await again(first.refresh_token ?? '', 'repository:alice/other:pull')).json<TokenAnswer>();
    expect(elsewhere.scope ?? '').not.toContain('alice/other:pull');
    await pull(elsewhere.token, 'alice/other').expect(404);
  });

  it('end when they expire, with what they bought', async () => {
    const expiresAt = inSeconds(8);
    const { key } = await newKey({ expiresAt });
    const { token, refresh_token: refresh = '' } = (await offline(key).expect(200)).json<TokenAnswer>();
    await pull(key, 'alice/app').expect(200);
    await new Promise((resolve) => setTimeout(resolve, Date.parse(expiresAt) + 100 - Date.now()));
    for (const credential of [key, token]) await pull(credential, 'alice/app').expect(401);
    await again(refresh).expect(401);
  });

  it('and what they bought outlive a change of the password', async () => {
    const draft = { username: 'carol', password: 'a-long-password-1' };
    await world.admin.api('POST', '/api/v1/users', draft).expect(201);
    const client = world.admin.as('carol', 'a-long-password-1', 'basic');
    const { key } = await newKey({}, client);
    const asked = `${TOKEN}?service=aerugo&offline_token=true&client_id=docker`;
    const bought = await world.anonymous.raw('GET', asked, { headers: basicOf('carol', key) });
    const { refresh_token: refresh = '' } = bought.expect(200).json<TokenAnswer>();
    const body = { currentPassword: 'a-long-password-1', newPassword: 'another-long-one' };
    await client.api('PUT', '/api/v1/auth/password', body).expect(204);
    await by(key, 'GET', '/v2/').expect(200);
    const next = (await again(refresh).expect(200)).json<TokenAnswer>();
    await by(next.token, 'GET', '/v2/').expect(200);
  });
});

function basicOf(username: string, password: string): Headers {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

describe('keys of robots', () => {
  const ROBOT = '/api/v1/orgs/acme/robots/ci/keys';

  beforeAll(async () => {
    await world.alice.api('POST', '/api/v1/orgs', { name: 'acme' }).expect(201);
    await world.alice.api('POST', '/api/v1/orgs/acme/members', { username: 'bob', role: 'member' }).expect(201);
    await world.alice.api('POST', '/api/v1/orgs/acme/robots', { name: 'ci' }).expect(201);
    await pushedImage(world.alice, 'acme/app', 'v1');
    const grants = [{ kind: 'robot', name: 'ci', role: 'write' }];
    await world.alice.api('PUT', '/api/v1/repos/acme/app/permissions', { grants }).expect(200);
  }, 60_000);

  const robotKey = async (fields: object = {}, path = ROBOT): Promise<Key> =>
    (await world.alice.api('POST', path, { name: 'runner', ...fields }).expect(201)).json<Key>();

  it('open what the robot was granted, under its login name', async () => {
    const { id, key, ...rest } = await robotKey();
    expect(key).toMatch(/^aerugo_bot_/);
    expect(rest).toMatchObject({ scopes: ['repo:pull', 'repo:push', 'repo:delete'], repositories: null });
    await pull(key, 'acme/app').expect(200);
    await push(key, 'acme/app').expect(202);
    await pull(key, 'alice/app').expect(404);
    await docker(key, 'robot-acme.ci').getManifest('acme/app', 'v1').expect(200);
    await world.admin.as('ci', key, 'basic').request('GET', '/v2/').expect(401);
    const token = await world.anonymous.raw('GET', `${TOKEN}?offline_token=true&client_id=docker`, {
      headers: basicOf('robot-acme.ci', key),
    });
    expect(token.expect(200).json<TokenAnswer>().refresh_token).toBeUndefined();
    expect((await by(key, 'GET', '/api/v1/auth/me').expect(200)).json()).toMatchObject({
      kind: 'robot',
      name: 'robot-acme.ci',
      admin: false,
      credential: { kind: 'key' },
    });
    await by(key, 'GET', KEYS).expect(403);
    await world.alice.api('DELETE', `${ROBOT}/${id}`).expect(204);
    await pull(key, 'acme/app').expect(401);
  });

  it('are exchanged with overlap', async () => {
    const old = await robotKey({ name: 'old' });
    const next = await robotKey({ name: 'next' }, '/api/v1/orgs/acme/robots/robot-acme.ci/keys');
    for (const { key } of [old, next]) await pull(key, 'acme/app').expect(200);
    const list = (await world.alice.api('GET', ROBOT).expect(200)).json<{ items: Key[] }>();
    expect(list.items.map(({ name }) => name)).toEqual(['old', 'next']);
    await world.alice.api('DELETE', `${ROBOT}/${old.id}`).expect(204);
    await pull(old.key, 'acme/app').expect(401);
    await pull(next.key, 'acme/app').expect(200);
    await world.alice.api('DELETE', `${ROBOT}/${old.id}`).expect(404);
  });

  it('are the business of those who manage the organization', async () => {
    const { id } = await robotKey();
    for (const [method, path] of [
      ['GET', ROBOT],
      ['POST', ROBOT],
      ['DELETE', `${ROBOT}/${id}`],
    ] as const) {
      const body = method === 'POST' ? { name: 'k' } : undefined;
      await world.bob.api(method, path, body).expect(403);
      await world.anonymous.api(method, path, body).expect(401);
      const stranger = world.admin.as('dave', 'dave-long-password-1');
      if (method === 'GET') {
        const draft = { username: 'dave', password: 'dave-long-password-1' };
        await world.admin.api('POST', '/api/v1/users', draft).expect(201);
      }
      await stranger.api(method, path, body).expect(404);
      await world.alice.api(method, path.replace('/ci/', '/none/'), body).expect(404);
      await world.admin.api(method, path.replace('/acme/', '/none/'), body).expect(404);
    }
  });

  it('reach no further than the key that made them', async () => {
    const { key } = await newKey({ scopes: ['manage', 'repo:pull'], repositories: ['acme'] });
    const make = (fields: object): Exchange =>
      world.anonymous.raw('POST', ROBOT, {
        headers: { ...bearer(key), 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'k', ...fields }),
      });
    await make({}).expect(403);
    await make({ scopes: ['repo:pull'] }).expect(403);
    await make({ scopes: ['repo:pull', 'repo:push'], repositories: ['acme/app'] }).expect(403);
    await make({ scopes: ['repo:pull'], repositories: ['acme/app'] }).expect(201);
  });
});
