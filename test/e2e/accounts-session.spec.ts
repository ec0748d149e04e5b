import { describe, expect, it } from '@jest/globals';
import { signUp, useWorld } from '../conformance/world.js';
import type { Exchange, Headers } from '../support/http-exchange.js';
import { query } from './left-behind.js';

interface Session {
  readonly access_token: string;
  readonly refresh_token: string;
}

const world = useWorld();
let count = 0;
const TOKEN = '/api/v1/auth/token';
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

const post = (path: string, body: unknown): Exchange =>
  world.anonymous.raw('POST', path, {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const login = async (username: string, password: string): Promise<Session> =>
  (await post(TOKEN, { username, password }).expect(200)).json<Session>();
const refresh = (token: string): Exchange => post(TOKEN, { grant_type: 'refresh_token', refresh_token: token });
const me = (headers: Headers): Exchange => world.anonymous.raw('GET', '/api/v1/auth/me', { headers });
const change = (session: Session, currentPassword: string, newPassword: string): Exchange =>
  world.anonymous.raw('PUT', '/api/v1/auth/password', {
    headers: { 'content-type': 'application/json', ...bearer(session.access_token) },
    body: JSON.stringify({ currentPassword, newPassword }),
  });

async function newUser(): Promise<{ username: string; password: string }> {
  const username = `person-${++count}`;
  const { options } = await signUp(world.admin, username);
  return { username, password: options.password ?? '' };
}

describe('GET /api/v1/auth/me', () => {
  it('says who calls, with what, and what they are in organizations', async () => {
    const { username, password } = await newUser();
    await query(
      world.registry,
      `WITH n AS (INSERT INTO namespaces (name, kind) VALUES ('acme', 'org') RETURNING id),
         o AS (INSERT INTO orgs (namespace_id, default_role) SELECT id, 'read' FROM n RETURNING id),
         t AS (INSERT INTO teams (org_id, name) SELECT id, 'backend' FROM o RETURNING id),
         u AS (SELECT id FROM users WHERE username = $1),
         m AS (INSERT INTO org_members (org_id, user_id, role) SELECT o.id, u.id, 'member' FROM o, u)
       INSERT INTO team_members (team_id, user_id, maintainer) SELECT t.id, u.id, true FROM t, u`,
      [username],
    );
    const { access_token: token } = await login(username, password);
    expect((await me(bearer(token)).expect(200)).json()).toEqual({
      kind: 'user',
      name: username,
      admin: false,
      organizations: [{ name: 'acme', role: 'member', defaultRole: 'read' }],
      teams: [{ organization: 'acme', name: 'backend', maintainer: true }],
      credential: { kind: 'session', scopes: null, repositories: null, expiresAt: expect.stringMatching(/Z$/) },
    });
    const basic = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
    expect((await me(basic).expect(200)).json()).toMatchObject({ credential: { kind: 'password', expiresAt: null } });
  });

  it('is for callers with a credential, and not for docker’s tokens', async () => {
    await me({}).expect(401);
    await me(bearer(await world.alice.token('repository:alice/app:pull'))).expect(401);
    await me(bearer(await world.anonymous.token('repository:alice/app:pull'))).expect(401);
  });
});

describe('PUT /api/v1/auth/password', () => {
  it('ends all but the session that asks, whose refresh token buys the next access token', async () => {
    const { username, password } = await newUser();
    const [own, other] = [await login(username, password), await login(username, password)];
    await change(own, password, 'quite another one').expect(204);
    for (const { access_token } of [own, other]) await me(bearer(access_token)).expect(401);
    await refresh(other.refresh_token).expect(401);
    await post(TOKEN, { username, password }).expect(401);
    const next = (await refresh(own.refresh_token).expect(200)).json<Session>();
    await me(bearer(next.access_token)).expect(200);
    await login(username, 'quite another one');
    const rows = await query(world.registry, 'SELECT action FROM audit_events WHERE resource = $1 ORDER BY at, id', [
      `user:${username}`,
    ]);
    expect(rows.map(({ action }) => String(action))).toEqual([
      'user.create',
      'session.create',
      'session.create',
      'password.change',
      'session.create',
    ]);
  });

  it('still knows a refresh token of that session that is used twice', async () => {
    const { username, password } = await newUser();
    const first = await login(username, password);
    const second = (await refresh(first.refresh_token).expect(200)).json<Session>();
    await change(second, password, 'quite another one').expect(204);
    const third = (await refresh(second.refresh_token).expect(200)).json<Session>();
    await refresh(first.refresh_token).expect(401);
    await me(bearer(third.access_token)).expect(401);
    await refresh(third.refresh_token).expect(401);
    const rows = await query(world.registry, 'SELECT detail FROM audit_events WHERE action = $1 AND resource = $2', [
      'session.revoke',
      `user:${username}`,
    ]);
    expect(rows).toEqual([{ detail: { reason: 'used twice' } }]);
  });

  it('lets one of two through that show the same current password at once', async () => {
    const { username, password } = await newUser();
    const session = await login(username, password);
    const statuses = await Promise.all(
      ['the first new one', 'the second new one'].map(async (next) => (await change(session, password, next)).status),
    );
    expect(statuses.sort()).toEqual([204, 401]);
  });

  it('wants the current password', async () => {
    const { username, password } = await newUser();
    const session = await login(username, password);
    await change(session, 'wrong', 'quite another one').expect(401);
    await me(bearer(session.access_token)).expect(200);
  });

  it('is not noticed by rotations of the session that asks', async () => {
    for (let round = 0; round < 10; round++) {
      const { username, password } = await newUser();
      let session = await login(username, password);
      const changing = { isOver: false };
      const changed = change(session, password, 'quite another one')
        .expect(204)
        .finally(() => (changing.isOver = true));
      // One after the other without a pause, so that some are in the middle of it when the change commits.
      while (!changing.isOver) session = (await refresh(session.refresh_token).expect(200)).json<Session>();
      await changed;
      await refresh(session.refresh_token).expect(200);
    }
  });
});
