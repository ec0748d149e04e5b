import { describe, expect, it } from '@jest/globals';
import type { Exchange, Headers } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { ACME, ORGS, refused, useAcme } from './organizations.js';

const world = useAcme();

describe('a key', () => {
  const EVERY_SCOPE = ['repo:pull', 'repo:push', 'repo:delete', 'manage'];

  async function newKey(client: RegistryClient, scopes: string[], repositories?: string[]): Promise<string> {
    const made = await client.api('POST', '/api/v1/auth/keys', { name: 'k', scopes, repositories }).expect(201);
    return made.json<{ key: string }>().key;
  }

  const by = (key: string, method: string, path: string, body?: object, more: Headers = {}): Exchange =>
    world.anonymous.raw(method, path, {
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...more },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  const changes = (username: string): [method: string, path: string, body: object][] => [
    ['POST', `${ACME}/members`, { username, role: 'owner' }],
    ['POST', `${ACME}/invitations`, { role: 'member' }],
    ['PATCH', ACME, { defaultRole: 'admin' }],
    ['PATCH', `${ACME}/members/bob`, { role: 'owner' }],
    ['POST', `${ACME}/teams/dev/members`, { username: 'bob' }],
    ['PATCH', `${ACME}/teams/dev/members/carol`, { maintainer: true }],
  ];

  it('gives others no role in an organization while it lacks a scope there', async () => {
    await world.alice.api('POST', `${ACME}/teams`, { name: 'dev' }).expect(201);
    await world.alice.api('POST', `${ACME}/teams/dev/members`, { username: 'carol' }).expect(201);
    const managing = await newKey(world.alice, ['manage'], ['acme']);
    for (const [method, path, body] of changes('dave')) {
      expect(refused(await by(managing, method, path, body), 403, 'DENIED')).toMatchObject({
        detail: expect.stringContaining('a key gives others no rights that it lacks'),
      });
    }
    await by(managing, 'PATCH', ACME, { displayName: 'Acme' }).expect(200);
    await by(managing, 'DELETE', `${ACME}/teams/dev/members/carol`).expect(204);
    await world.alice.api('POST', `${ACME}/teams/dev/members`, { username: 'carol' }).expect(201);
    const whole = await newKey(world.alice, EVERY_SCOPE, ['acme']);
    for (const [method, path, body] of changes('dave')) {
      const isOffer = 'role' in body && body.role === 'owner';
      await by(whole, method, path, body).expect(isOffer ? 202 : method === 'POST' ? 201 : 200);
    }
  });

  describe('opens nothing to others that it may not do itself:', () => {
    const APP = '/api/v1/repos/acme/handed-on';
    const key = (...scopes: string[]): Promise<string> => newKey(world.alice, scopes, ['acme']);
    const anonymousReads = async (): Promise<number> => (await world.anonymous.api('GET', APP)).status;

    it('it makes public what it may read, and sparse where it may push', async () => {
      await world.alice.api('PUT', APP, {}).expect(201);
      const managing = await key('manage');
      const [reading, pushing] = [await key('manage', 'repo:pull'), await key('manage', 'repo:push')];
      for (const holder of [managing, pushing]) {
        expect(refused(await by(holder, 'PATCH', APP, { visibility: 'public' }), 403, 'DENIED')).toMatchObject({
          detail: expect.stringContaining('repo:pull'),
        });
        expect(await anonymousReads()).toBe(401);
      }
      for (const holder of [managing, reading]) {
        refused(await by(holder, 'PATCH', APP, { sparse: true }), 403, 'DENIED');
      }
      for (const path of [APP, `${APP}-new`]) {
        refused(await by(pushing, 'PUT', path, { visibility: 'public' }), 403, 'DENIED');
      }
      await by(pushing, 'PUT', `${APP}-new`, { sparse: true }).expect(201);
      await by(managing, 'PATCH', APP, { description: 'ours', visibility: 'private', sparse: false }).expect(200);

      await by(reading, 'PATCH', APP, { visibility: 'public' }).expect(200);
      expect(await anonymousReads()).toBe(200);
      // Somebody may have made it private since this request was decided on.
      refused(await by(managing, 'PATCH', APP, { visibility: 'public' }), 403, 'DENIED');
      await by(managing, 'PATCH', APP, { visibility: 'private' }).expect(200);
      expect(await anonymousReads()).toBe(401);
    });

    it('a token for pushes makes nothing public or sparse, and asks of nobody else', async () => {
      await world.alice.api('PUT', APP, {});
      const token = await world.alice.token(
        'repository:acme/handed-on:pull,push',
        'repository:acme/handed-on-too:push',
      );
      for (const path of [APP, `${APP}-too`]) {
        for (const body of [{ visibility: 'public' }, { sparse: true }]) {
          refused(await by(token, 'PUT', path, body), 403, 'DENIED');
        }
      }
      refused(await by(token, 'GET', `${APP}/permissions/effective?user=bob`), 403, 'DENIED');
      await by(token, 'PUT', `${APP}-too`, {}).expect(201);
    });

    it('it renames what it may do everything with, at both paths', async () => {
      await world.alice.api('PUT', APP, {});
      const whole = [await newKey(world.alice, EVERY_SCOPE, ['acme']), await newKey(world.alice, EVERY_SCOPE)];
      for (const scopes of [['manage'], ['manage', 'repo:pull'], EVERY_SCOPE.slice(0, -1)]) {
        const holder = await newKey(world.alice, scopes);
        for (const body of [{ namespace: 'alice' }, { name: 'renamed' }]) {
          refused(await by(holder, 'POST', `${APP}/rename`, body), 403, 'DENIED');
        }
      }
      refused(await by(whole[0] ?? '', 'POST', `${APP}/rename`, { namespace: 'alice' }), 403, 'DENIED');
      await by(whole[0] ?? '', 'POST', `${APP}/rename`, { name: 'renamed' }).expect(200);
      await by(whole[1] ?? '', 'POST', '/api/v1/repos/acme/renamed/rename', { namespace: 'alice' }).expect(200);
    });

    it('it revives no robot whose keys do more, and ends any', async () => {
      const robot = `${ACME}/robots/sleeper`;
      await world.alice.api('POST', `${ACME}/robots`, { name: 'sleeper' }).expect(201);
      const [managing, whole] = [await key('manage'), await key(...EVERY_SCOPE)];
      const soon = new Date(Date.now() + 3_600_000).toISOString();
      const later = new Date(Date.now() + 7_200_000).toISOString();
      await by(managing, 'PATCH', robot, { disabled: true, expiresAt: soon, description: 'asleep' }).expect(200);
      for (const body of [{ disabled: false }, { expiresAt: null }, { expiresAt: later }]) {
        refused(await by(managing, 'PATCH', robot, body), 403, 'DENIED');
        await by(whole, 'PATCH', robot, body).expect(200);
        await by(managing, 'PATCH', robot, { disabled: true, expiresAt: soon }).expect(200);
      }
    });
  });

  it('of an administrator neither makes administrators, nor shuts anybody out', async () => {
    const key = await newKey(world.admin, EVERY_SCOPE);
    const dave = '/api/v1/users/dave';
    for (const body of [{ admin: true }, { disabled: true }])
      refused(await by(key, 'PATCH', dave, body), 403, 'DENIED');
    expect(refused(await by(key, 'DELETE', dave), 403, 'DENIED')).toMatchObject({
      detail: expect.stringContaining('log in with a password'),
    });
    await by(key, 'PATCH', dave, { displayName: 'Dave' }).expect(200);
    await by(key, 'POST', ORGS, { name: 'made-by-key' }).expect(201);
  });

  it('is not shown the secret that another credential made under the same Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'once' };
    const body = { role: 'owner' };
    await world.alice.api('POST', `${ACME}/invitations`, body, headers).expect(201);
    const keys = [await newKey(world.alice, EVERY_SCOPE), await newKey(world.alice, EVERY_SCOPE)];
    for (const key of keys) {
      refused(await by(key, 'POST', `${ACME}/invitations`, body, headers), 422, 'IDEMPOTENCY_KEY_REUSED');
    }
  });
});
