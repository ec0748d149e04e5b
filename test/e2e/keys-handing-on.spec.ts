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
