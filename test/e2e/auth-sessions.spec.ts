import { describe, expect, it } from '@jest/globals';
import { useWorld } from '../conformance/world.js';
import type { Exchange, Headers, Reply } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { query } from './left-behind.js';

interface TokenAnswer {
  readonly access_token: string;
  readonly token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly scope?: string;
}

const TOKEN = '/api/v1/auth/token';
const JSON_TYPE: Headers = { 'content-type': 'application/json' };
const FORM_TYPE: Headers = { 'content-type': 'application/x-www-form-urlencoded' };

const world = useWorld();

const postJson = (path: string, body: unknown): Exchange =>
  world.anonymous.raw('POST', path, { headers: JSON_TYPE, body: JSON.stringify(body) });
const postForm = (form: Record<string, string>): Exchange =>
  world.anonymous.raw('POST', TOKEN, { headers: FORM_TYPE, body: new URLSearchParams(form).toString() });

const passwordOf = ({ options }: RegistryClient): string => options.password ?? '';
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

async function login(client: RegistryClient): Promise<TokenAnswer> {
  const { username } = client.options;
  return (await postJson(TOKEN, { username, password: passwordOf(client) }).expect(200)).json<TokenAnswer>();
}

const refresh = (token: string): Exchange => postJson(TOKEN, { grant_type: 'refresh_token', refresh_token: token });

/** Statuses of both interfaces for one Authorization header. */
async function statuses(headers: Headers, username: string): Promise<number[]> {
  const api = await world.anonymous.raw('GET', `/api/v1/users/${username}`, { headers });
  const v2 = await world.anonymous.raw('GET', '/v2/', { headers });
  return [api.status, v2.status];
}

function expectProblem(reply: Reply, code: string): void {
  expect(reply.header('content-type')).toBe('application/problem+json');
  expect(reply.json()).toMatchObject({
    status: reply.status,
    code,
    title: expect.any(String),
    requestId: expect.any(String),
  });
}

describe('the JSON login', () => {
  it('gives a token that opens both interfaces, and a refresh token', async () => {
    const answer = await login(world.alice);
    expect(answer).toMatchObject({ token: answer.access_token, token_type: 'Bearer', expires_in: 300 });
    expect(answer.scope).toBeUndefined();
    expect(await statuses(bearer(answer.token), 'alice')).toEqual([200, 200]);
    await world.anonymous.raw('POST', '/v2/alice/login/blobs/uploads/', { headers: bearer(answer.token) }).expect(202);
  });

  it('refuses a wrong password and an unknown user in the same words', async () => {
    const wrong = await postJson(TOKEN, { username: 'alice', password: 'wrong-password' }).expect(401);
    const unknown = await postJson(TOKEN, { username: 'nobody-here', password: 'wrong-password' }).expect(401);
    expectProblem(wrong, 'INVALID_CREDENTIALS');
    const words = ({ requestId: _, ...rest }: Record<string, unknown>): unknown => rest;
    expect(words(unknown.json())).toEqual(words(wrong.json()));
  });

  it.each([
    [{ username: 'alice' }, 'VALIDATION_FAILED'],
    [{ username: 'alice', password: 7 }, 'VALIDATION_FAILED'],
    [{ username: 'alice', password: 'x', remember: true }, 'UNKNOWN_FIELD'],
    [['alice', 'x'], 'MALFORMED_REQUEST'],
  ])('answers 400 to %j', async (body, code) => {
    expectProblem(await postJson(TOKEN, body).expect(400), code);
  });

  it('answers 415 to a body of another type, and 400 to none', async () => {
    const text = { headers: { 'content-type': 'text/plain' }, body: 'x' };
    expectProblem(await world.anonymous.raw('POST', TOKEN, text).expect(415), 'UNSUPPORTED_MEDIA_TYPE');
    expectProblem(await world.anonymous.raw('POST', TOKEN).expect(400), 'MALFORMED_REQUEST');
  });

  it('rotates its refresh token', async () => {
    const first = await login(world.alice);
    const second = (await refresh(first.refresh_token).expect(200)).json<TokenAnswer>();
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await statuses(bearer(second.access_token), 'alice')).toEqual([200, 200]);
    await refresh(second.refresh_token).expect(200);
  });

  it('ends the whole session when a refresh token is used twice, on the next request', async () => {
    const first = await login(world.alice);
    const other = await login(world.alice);
    const second = (await refresh(first.refresh_token).expect(200)).json<TokenAnswer>();
    await refresh(first.refresh_token).expect(401);
    await refresh(second.refresh_token).expect(401);
    expect(await statuses(bearer(second.access_token), 'alice')).toEqual([401, 401]);
    expect(await statuses(bearer(other.access_token), 'alice')).toEqual([200, 200]);
  });

  it('lets one of many that use a refresh token at once through, at most', async () => {
    const { refresh_token: token } = await login(world.alice);
    const replies = await Promise.all(Array.from({ length: 8 }, () => refresh(token)));
    expect(replies.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    expect(replies.filter(({ status }) => status !== 200 && status !== 401)).toEqual([]);
  });

  it('ends at logout, on the next request', async () => {
    const session = await login(world.alice);
    await postJson('/api/v1/auth/logout', { refresh_token: session.refresh_token }).expect(204);
    await refresh(session.refresh_token).expect(401);
    expect(await statuses(bearer(session.access_token), 'alice')).toEqual([401, 401]);
    await postJson('/api/v1/auth/logout', { refresh_token: 'never was one' }).expect(204);
  });
});

describe('docker’s refresh tokens', () => {
  const SCOPE = 'repository:alice/offline:pull,push';
  const offline = async (): Promise<TokenAnswer> =>
    (
      await postForm({
        grant_type: 'password',
        username: 'alice',
        password: passwordOf(world.alice),
        client_id: 'docker',
        access_type: 'offline',
        scope: SCOPE,
      }).expect(200)
    ).json<TokenAnswer>();
  const again = (token: string, clientId = 'docker'): Exchange =>
    postForm({ grant_type: 'refresh_token', refresh_token: token, client_id: clientId, scope: SCOPE });

  it('stay the same, work often and for every client, and not for the JSON refresh', async () => {
    const { refresh_token: token } = await offline();
    for (let i = 0; i < 3; i++) {
      const answer = (await again(token).expect(200)).json<TokenAnswer>();
      expect(answer).toMatchObject({ refresh_token: token, scope: SCOPE });
    }
    await again(token, 'containers/image').expect(200);
    await refresh(token).expect(401);
    await again(token).expect(200);
  });

  it('can be revoked, with the access tokens that they bought', async () => {
    const { refresh_token: token } = await offline();
    const { access_token: bought } = (await again(token).expect(200)).json<TokenAnswer>();
    await world.anonymous.raw('POST', '/v2/alice/offline/blobs/uploads/', { headers: bearer(bought) }).expect(202);
    await postJson('/api/v1/auth/logout', { refresh_token: token }).expect(204);
    await again(token).expect(401);
    await world.anonymous.raw('POST', '/v2/alice/offline/blobs/uploads/', { headers: bearer(bought) }).expect(401);
  });

  it('buy tokens for repositories only, which do not open the account', async () => {
    const { access_token: token } = await offline();
    const reply = await world.anonymous.raw('GET', '/api/v1/users/alice', { headers: bearer(token) }).expect(401);
    expect(reply.need('www-authenticate')).toContain('error="insufficient_scope"');
  });

  it('are not in the database in a form that anybody could use', async () => {
    const { refresh_token: token } = await offline();
    const stored = JSON.stringify(await query(world.registry, 'SELECT * FROM refresh_tokens'));
    expect(stored).toContain('offline');
    expect(stored).not.toContain(token);
    expect(stored).not.toContain(Buffer.from(token).toString('hex'));
  });
});
