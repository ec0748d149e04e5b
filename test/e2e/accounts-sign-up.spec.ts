// once: no store takes part in it
import { beforeAll, describe, expect, it } from '@jest/globals';
import { signUp } from '../conformance/world.js';
import type { Exchange, Headers } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { query } from './left-behind.js';

const PASSWORD = 'a-long-password-1';
let count = 0;
const newName = (): string => `person-${++count}`;

let registry: Registry;
let admin: RegistryClient;
let anonymous: RegistryClient;

async function begin(signUps: string): Promise<void> {
  registry = await startRegistry({ env: { SIGN_UP: signUps, TRUSTED_PROXIES: 'loopback' } });
  admin = registry.client;
  anonymous = admin.anonymous();
}

const from = (address: string): Headers => ({ 'x-forwarded-for': address });

function register(client: RegistryClient, fields: object = {}, headers: Headers = from('192.0.2.1')): Exchange {
  return client.api('POST', '/api/v1/users', { username: newName(), password: PASSWORD, ...fields }, headers);
}

describe('with SIGN_UP=open', () => {
  beforeAll(() => begin('open'), 90_000);

  it('anybody makes an account, and is in the audit log as nobody', async () => {
    const username = newName();
    await register(anonymous, { username }).expect(201);
    await admin.as(username, PASSWORD).api('GET', '/api/v1/auth/me').expect(200);
    const rows = await query(registry, 'SELECT actor, credential, address FROM audit_events WHERE action = $1', [
      'user.create',
    ]);
    expect(rows).toContainEqual({ actor: 'anonymous', credential: 'anonymous', address: '192.0.2.1' });
  });

  it('users make accounts too, and nobody makes an administrator', async () => {
    const alice = await signUp(admin, 'alice');
    await register(alice).expect(201);
    await register(anonymous, { admin: true }).expect(400);
  });

  it('an address makes so many in ten minutes and no more, while administrators go on', async () => {
    const there = from('192.0.2.9');
    const statuses = await Promise.all(
      Array.from({ length: 24 }, async () => (await register(anonymous, { password: 'short' }, there)).status),
    );
    expect(statuses.filter((status) => status === 400)).toHaveLength(20);
    expect(statuses.filter((status) => status === 429)).toHaveLength(4);
    const refused = await register(anonymous, {}, there).expect(429, { headers: { 'retry-after': /^[1-9]\d*$/ } });
    expect(refused.json()).toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    await register(admin, {}, there).expect(201);
    await register(anonymous, {}, from('192.0.2.10')).expect(201);
  });
});

describe('with SIGN_UP=invite', () => {
  beforeAll(() => begin('invite'), 90_000);

  const invite = async (fields: object = {}): Promise<{ id: string; code: string; expiresAt: string }> =>
    (await admin.api('POST', '/api/v1/invitations', fields).expect(201)).json();

  it('whoever has a code makes one account with it', async () => {
    const { id, code } = await invite({ note: 'for somebody' });
    expect(code).toMatch(/^aerugo_inv_/);
    await register(anonymous).expect(401, { headers: { 'www-authenticate': /^Bearer realm=/ } });
    await register(anonymous, { invitation: 'aerugo_inv_x' }).expect(422);
    const statuses = await Promise.all(
      Array.from({ length: 4 }, async () => (await register(anonymous, { invitation: code })).status),
    );
    expect(statuses.sort()).toEqual([201, 422, 422, 422]);
    const [used] = (await admin.api('GET', '/api/v1/invitations').expect(200))
      .json<{ items: { id: string }[] }>()
      .items.filter((one) => one.id === id);
    expect(used).toMatchObject({ note: 'for somebody', usedAt: expect.any(String), usedBy: expect.any(String) });
    await admin.api('DELETE', `/api/v1/invitations/${id}`).expect(409);
  });

  it('a code that is taken back is none', async () => {
    const { id, code } = await invite({ expiresAt: new Date(Date.now() + 86_400_000).toISOString() });
    await admin.api('DELETE', `/api/v1/invitations/${id}`).expect(204);
    await admin.api('DELETE', `/api/v1/invitations/${id}`).expect(404);
    await admin.api('DELETE', '/api/v1/invitations/x').expect(404);
    await register(anonymous, { invitation: code }).expect(422);
  });

  it('administrators need none, and only they make them', async () => {
    await register(admin).expect(201);
    const bob = await signUp(admin, 'bob');
    await register(bob).expect(403);
    await bob.api('POST', '/api/v1/invitations', {}).expect(403);
    await bob.api('GET', '/api/v1/invitations').expect(403);
    await anonymous.api('POST', '/api/v1/invitations', {}).expect(401);
    for (const expiresAt of ['2001-01-01T00:00:00Z', '2999-01-01T00:00:00Z', 'soon', null]) {
      await admin.api('POST', '/api/v1/invitations', { expiresAt }).expect(400);
    }
  });

  it('a create that is repeated under its Idempotency-Key shows the same code', async () => {
    const headers = { 'idempotency-key': 'once' };
    const first = await admin.api('POST', '/api/v1/invitations', {}, headers).expect(201);
    const second = await admin.api('POST', '/api/v1/invitations', {}, headers).expect(201);
    expect(second.json()).toEqual(first.json());
    await admin.api('POST', '/api/v1/invitations', { note: 'x' }, headers).expect(422);
  });

  it('shows invitations without their codes, page by page', async () => {
    for (let i = 0; i < 3; i++) await invite({ note: `page ${i}` });
    const seen: string[] = [];
    for (let next: string | null = ''; next !== null;) {
      const cursor: string = next === '' ? '' : `&cursor=${next}`;
      const reply = await admin.api('GET', `/api/v1/invitations?limit=2${cursor}`).expect(200);
      expect(reply.text).not.toContain('aerugo_inv_');
      const page = reply.json<{ items: { note: string | null }[]; next: string | null }>();
      seen.push(...page.items.map(({ note }) => note ?? ''));
      next = page.next;
    }
    expect(seen.filter((note) => note.startsWith('page'))).toEqual(['page 0', 'page 1', 'page 2']);
  });
});
