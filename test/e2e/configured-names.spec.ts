// once: no store takes part in it
import { beforeAll, describe, expect, it } from '@jest/globals';
import { signUp } from '../conformance/world.js';
import { eventually } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { query } from './left-behind.js';
import { startToEnd } from './start-to-end.js';

const PASSWORD = 'a-long-password-1';
const NO_ADMINISTRATOR = { SIGN_UP: 'open', ADMIN_PASSWORD: '' };

const register = (client: RegistryClient, username: string) =>
  client.api('POST', '/api/v1/users', { username, password: PASSWORD });

/** A key with everything that a key can have; it works as long as the account. */
async function keyOf(client: RegistryClient): Promise<RegistryClient> {
  const scopes = ['repo:pull', 'repo:push', 'repo:delete', 'manage'];
  const { key } = (await client.api('POST', '/api/v1/auth/keys', { name: 'all', scopes }).expect(201)).json<{
    key: string;
  }>();
  return client.as(client.options.username ?? '', key, 'basic');
}

describe('the name in ADMIN_USERNAME', () => {
  let node: Registry;
  let mallory: RegistryClient;
  let key: RegistryClient;

  const isAdministrator = async (): Promise<unknown> =>
    (await query(node, 'SELECT admin FROM users WHERE username = $1', ['mallory']))[0]?.['admin'];

  beforeAll(async () => {
    // A start promotes whom earlier nodes knew by other facts, which are still in Redis.
    node = await startRegistry({ redis: true, env: NO_ADMINISTRATOR });
    await register(node.client.anonymous(), 'mallory').expect(201);
    mallory = node.client.as('mallory', PASSWORD);
    key = await keyOf(mallory);
  }, 90_000);

  it('is taken for everybody before there is an administrator, for organizations too', async () => {
    await register(node.client.anonymous(), 'admin').expect(409);
    await register(mallory, 'admin').expect(409);
    await mallory.api('POST', '/api/v1/orgs', { name: 'admin' }).expect(409);
    await key.api('POST', '/api/v1/orgs', { name: 'admin' }).expect(409);
  });

  it('promotes no account that somebody else has made, with one worker and with two', async () => {
    for (const WORKERS of ['1', '2']) {
      const { ended } = startToEnd({ ...node.env, ADMIN_USERNAME: 'mallory', ADMIN_PASSWORD: PASSWORD, WORKERS });
      const { code, stderr } = await ended;
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^Aerugo cannot start: (worker 1 cannot start: )?the account "mallory" was not made by the configuration/,
      );
      expect(stderr).toContain('set ADMIN_USERNAME to a free name');
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
      expect(await isAdministrator()).toBe(false);
    }
    await key.api('GET', '/api/v1/users').expect(403);
  }, 60_000);

  it('makes its account at a later start, and this one alone can administer', async () => {
    const later = await startRegistry({ like: node, env: { ADMIN_PASSWORD: node.password } });
    await later.client.api('GET', '/api/v1/users').expect(200);
    const taken = await later.client.api('POST', '/api/v1/orgs', { name: 'admin' }).expect(409);
    expect(taken.json()).toMatchObject({ code: 'NAME_TAKEN', detail: expect.stringContaining('ADMIN_USERNAME') });
    await key.api('GET', '/api/v1/users').expect(403);

    // Made less by another administrator, it is made one again by the next start.
    await later.client.api('PATCH', '/api/v1/users/mallory', { admin: true }).expect(200);
    await mallory.api('PATCH', '/api/v1/users/admin', { admin: false }).expect(200);
    await later.client.api('GET', '/api/v1/users').expect(403);
    await later.stop();
    const again = await startRegistry({ like: later });
    await again.client.api('GET', '/api/v1/users').expect(200);

    // Who is an administrator already may be the configuration's from now on.
    await again.stop();
    const other = { ADMIN_USERNAME: 'mallory', ADMIN_PASSWORD: 'another-password-1' };
    const named = await startRegistry({ like: node, env: other });
    await named.client.as('mallory', 'another-password-1').api('GET', '/api/v1/users').expect(200);
    await named.stop();
  }, 90_000);
});

describe('the usual default namespace', () => {
  it('is for administrators also where DEFAULT_NAMESPACE is not set', async () => {
    const { client } = await startRegistry({ env: { SIGN_UP: 'open' } });
    await register(client.anonymous(), 'library').expect(422);
    const alice = await signUp(client, 'alice');
    await alice.api('POST', '/api/v1/orgs', { name: 'library' }).expect(422);
    await client.api('POST', '/api/v1/orgs', { name: 'library' }).expect(201);
  }, 60_000);
});

describe('namespaces that the configuration names', () => {
  const env = { DEFAULT_NAMESPACE: 'library', ALLOW_SPARSE: 'cache/*,*/mirror,loose*', SIGN_UP: 'open' };
  const warned = ({ logs }: Registry): boolean => logs().includes('of DEFAULT_NAMESPACE does not exist');
  let node: Registry;
  let alice: RegistryClient;

  beforeAll(async () => {
    node = await startRegistry({ env });
    alice = await signUp(node.client, 'alice');
  }, 90_000);

  it('are created only by administrators, and a start warns when the default one does not exist', async () => {
    await eventually('the warning', () => warned(node));
    expect(node.logs()).toContain(String.raw`the namespace \"library\" of DEFAULT_NAMESPACE does not exist`);
    for (const name of ['library', 'cache']) {
      await register(node.client.anonymous(), name).expect(422);
      await register(alice, name).expect(422);
      await alice.api('POST', '/api/v1/orgs', { name }).expect(422);
      await (await keyOf(alice)).api('POST', '/api/v1/orgs', { name }).expect(422);
    }
    await alice.api('POST', '/api/v1/orgs', { name: 'loose' }).expect(201); // the pattern names no namespace

    await node.client.api('POST', '/api/v1/orgs', { name: 'library' }).expect(201);
    await register(node.client, 'cache').expect(201);
    await node.stop();
    node = await startRegistry({ like: node });
    await node.client.pushImage('app', 'v1');
    expect(warned(node)).toBe(false);
  }, 60_000);

  it('are told of at a start where no administrator owns them, since somebody may have been there before', async () => {
    const owned = 'belongs to no administrator: its owners control';
    const other = await startRegistry({ like: node, env: { DEFAULT_NAMESPACE: 'alice' } });
    await eventually('the warning', () => other.logs().includes(owned));
    await other.client.api('PATCH', '/api/v1/users/alice', { admin: true }).expect(200);
    await other.stop();
    const next = await startRegistry({ like: node, env: { DEFAULT_NAMESPACE: 'alice' } });
    await next.client.api('PATCH', '/api/v1/users/alice', { admin: false }).expect(200);
    expect(next.logs()).not.toContain(owned);
    await next.stop();
  }, 60_000);

  it('are free for an administrator alone after their deletion and release', async () => {
    await node.client.api('DELETE', '/api/v1/orgs/library').expect(409);
    await query(node, `UPDATE repos SET deleted_at = now() WHERE path LIKE 'library/%'`);
    await node.client.api('DELETE', '/api/v1/orgs/library').expect(204);
    await node.client.api('POST', '/api/v1/namespaces/library/release').expect(204);
    await node.client.as('alice', 'alice-long-password-1').api('POST', '/api/v1/orgs', { name: 'library' }).expect(422);
    await node.client.api('POST', '/api/v1/orgs', { name: 'library' }).expect(201);
  });
});
