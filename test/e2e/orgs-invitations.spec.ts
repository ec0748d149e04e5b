import { describe, expect, it } from '@jest/globals';
import { signUp, useWorld } from '../conformance/world.js';
import type { Reply } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { query } from './left-behind.js';
import { ACME, actionsOn, becomesOwner, itemsOf, ORGS, refused, useAcme } from './organizations.js';

const world = useAcme();

describe('an invitation', () => {
  const INVITATIONS = `${ACME}/invitations`;
  const invite = (role: string, more: object = {}): PromiseLike<Reply> =>
    world.alice.api('POST', INVITATIONS, { role, ...more });
  const accept = (client: RegistryClient, code: string): PromiseLike<Reply> =>
    client.api('POST', '/api/v1/invitations/accept', { code });

  async function newCode(role: string): Promise<{ id: string; code: string }> {
    return (await invite(role)).expect(201).json<{ id: string; code: string }>();
  }

  it('makes whoever has its code a member, once', async () => {
    const made = (await invite('member', { note: 'for Dave' })).expect(201);
    const { code, ...shown } = made.json<{ code: string; id: string; expiresAt: string }>();
    expect(code).toMatch(/^aerugo_inv_[0-9a-f]{40}$/);
    expect(shown).toMatchObject({ role: 'member', note: 'for Dave', createdBy: 'alice' });
    expect((Date.parse(shown.expiresAt) - Date.now()) / 86_400_000).toBeCloseTo(7, 1);
    expect(await itemsOf(world.alice, INVITATIONS)).toEqual([shown]);
    refused(await world.dave.api('GET', ACME), 404, 'NOT_FOUND');
    expect((await accept(world.dave, code)).expect(200).json()).toMatchObject({ name: 'acme', role: 'member' });
    await world.dave.api('GET', ACME).expect(200);
    refused(await accept(world.carol, code), 422, 'IMPOSSIBLE');
    expect(await itemsOf(world.alice, INVITATIONS)).toEqual([]);
    expect(await actionsOn(world, `org:acme/invitation:${shown.id}`)).toEqual([
      'invitation.create',
      'invitation.accept',
    ]);
    expect(world.registry.logs()).not.toContain(code);
    await world.alice.api('DELETE', `${ACME}/members/dave`).expect(204);
  });

  it('goes to one of two who accept it at once', async () => {
    const erin = await signUp(world.admin, 'erin');
    const { code } = await newCode('member');
    const statuses = (await Promise.all([accept(world.dave, code), accept(erin, code)])).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 422]);
    for (const username of ['dave', 'erin']) {
      await world.alice.api('DELETE', `${ACME}/members/${username}`).expect([204, 404]);
    }
    erin.close();
  });

  it('makes nobody less than they are', async () => {
    expect((await accept(world.alice, (await newCode('member')).code)).expect(200).json()).toMatchObject({
      role: 'owner',
    });
    expect((await accept(world.carol, (await newCode('admin')).code)).expect(200).json()).toMatchObject({
      role: 'admin',
    });
    refused(await world.carol.api('POST', INVITATIONS, { role: 'owner' }), 403, 'DENIED');
    refused(await world.bob.api('GET', INVITATIONS), 403, 'DENIED');
  });

  it('is void when it was revoked, when it is over, and when its sender lost the right to it', async () => {
    const revoked = await newCode('owner');
    refused(await world.carol.api('DELETE', `${INVITATIONS}/${revoked.id}`), 403, 'DENIED');
    await world.alice.api('DELETE', `${INVITATIONS}/${revoked.id}`).expect(204);
    refused(await world.alice.api('DELETE', `${INVITATIONS}/${revoked.id}`), 404, 'NOT_FOUND');
    refused(await world.alice.api('DELETE', `${INVITATIONS}/nonsense`), 404, 'NOT_FOUND');
    const over = await newCode('member');
    await query(world.registry, 'UPDATE org_invitations SET expires_at = now() WHERE id = $1', [over.id]);
    const carols = (await world.carol.api('POST', INVITATIONS, { role: 'admin' }).expect(201)).json<{ code: string }>();
    await world.alice.api('DELETE', `${ACME}/members/carol`).expect(204);
    for (const code of [revoked.code, over.code, carols.code, 'aerugo_inv_nonsense', '']) {
      refused(await accept(world.dave, code), 422, 'IMPOSSIBLE');
    }
    refused(await world.dave.api('GET', ACME), 404, 'NOT_FOUND');
  });

  it('lasts 90 days at most, and lists page by page in the order of making', async () => {
    const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
    refused(await invite('member', { expiresAt: inDays(91) }), 400, 'VALIDATION_FAILED');
    refused(await invite('member', { expiresAt: inDays(-1) }), 400, 'VALIDATION_FAILED');
    for (const note of ['1', '2', '3']) (await invite('member', { note, expiresAt: inDays(89) })).expect(201);
    const first = await world.alice.api('GET', `${INVITATIONS}?limit=2`).expect(200);
    const { items, next } = first.json<{ items: { note: string }[]; next: string }>();
    const rest = await itemsOf(world.alice, `${INVITATIONS}?limit=2&cursor=${next}`);
    expect([...items, ...rest].map(({ note }) => note)).toEqual(['1', '2', '3']);
  });
});

describe('an invitation that names a user', () => {
  const RECEIVED = '/api/v1/invitations/received';
  const MEMBERS = `${ACME}/members`;
  const accept = (client: RegistryClient, body: object): PromiseLike<Reply> =>
    client.api('POST', '/api/v1/invitations/accept', body);
  const offer = async (by: RegistryClient, username: string): Promise<{ id: string }> =>
    (await by.api('POST', MEMBERS, { username, role: 'owner' })).expect(202).json<{ id: string }>();
  const partOf = async (username: string): Promise<unknown> =>
    (await itemsOf(world.alice, MEMBERS)).find((one) => one['username'] === username)?.['role'];

  it('is what making an owner comes to, an administrator’s too, until the user accepts', async () => {
    const erin = await signUp(world.admin, 'erin-asked');
    for (const by of [world.alice, world.admin]) {
      const reply = (await by.api('POST', MEMBERS, { username: 'erin-asked', role: 'owner' })).expect(202);
      const shown = reply.json<{ id: string }>();
      expect(reply.need('location')).toBe(`${ACME}/invitations/${shown.id}`);
      expect(shown).toMatchObject({ role: 'owner', invitee: 'erin-asked' });
      expect(shown).not.toHaveProperty('code');
      expect(await itemsOf(world.alice, `${ACME}/invitations?limit=200`)).toContainEqual(shown);
      const received = await itemsOf(erin, RECEIVED); // the second replaces the first
      expect(received.map(({ id, org, role }) => [id, org, role])).toEqual([[shown.id, 'acme', 'owner']]);
    }
    expect(await partOf('erin-asked')).toBeUndefined();
    refused(await erin.api('GET', ACME), 404, 'NOT_FOUND');
    const [{ id } = { id: '' }] = await itemsOf(erin, RECEIVED);
    for (const stranger of [world.dave, world.bob, world.alice]) {
      refused(await accept(stranger, { id }), 422, 'IMPOSSIBLE');
      refused(await stranger.api('DELETE', `${RECEIVED}/${String(id)}`), 404, 'NOT_FOUND');
    }
    for (const body of [{}, { id, code: 'aerugo_inv_x' }, { id: 'nonsense' }]) {
      refused(await accept(erin, body), 400, 'VALIDATION_FAILED');
    }
    (await accept(erin, { id })).expect(200);
    expect(await partOf('erin-asked')).toBe('owner');
    expect(await itemsOf(erin, RECEIVED)).toEqual([]);
    await erin.api('DELETE', `${MEMBERS}/erin-asked`).expect(204);
    erin.close();
  });

  it('leaves a member what they are until then, and is declined, revoked, or void with their part', async () => {
    const frank = await signUp(world.admin, 'frank-asked');
    const promote = async (): Promise<{ id: string }> =>
      (await world.alice.api('PATCH', `${MEMBERS}/frank-asked`, { role: 'owner' })).expect(202).json();
    await world.alice.api('POST', MEMBERS, { username: 'frank-asked', role: 'admin' }).expect(201);
    const ends: ((id: string) => Promise<unknown>)[] = [
      async (id) => (await frank.api('DELETE', `${RECEIVED}/${id}`)).expect(204),
      async (id) => (await world.alice.api('DELETE', `${ACME}/invitations/${id}`)).expect(204),
      async () => (await world.alice.api('PATCH', `${MEMBERS}/frank-asked`, { role: 'member' })).expect(200),
      async () => (await world.alice.api('DELETE', `${MEMBERS}/frank-asked`)).expect(204),
    ];
    for (const end of ends) {
      const { id } = await promote();
      expect(await partOf('frank-asked')).not.toBe('owner');
      await end(id);
      expect(await itemsOf(frank, RECEIVED)).toEqual([]);
      refused(await accept(frank, { id }), 422, 'IMPOSSIBLE');
    }
    frank.close();
  });

  it('is not needed by an administrator who makes themselves an owner', async () => {
    await world.admin.api('POST', MEMBERS, { username: 'admin', role: 'owner' }).expect(201);
    await world.admin.api('PATCH', `${MEMBERS}/admin`, { role: 'admin' }).expect(200);
    await world.admin.api('PATCH', `${MEMBERS}/admin`, { role: 'owner' }).expect(200);
    await world.admin.api('DELETE', `${MEMBERS}/admin`).expect(204);
  });

  it('is answered the same under its Idempotency-Key, and goes with the account', async () => {
    await signUp(world.admin, 'gone-soon');
    const again = { 'idempotency-key': 'make-an-owner' };
    const ask = (): PromiseLike<Reply> =>
      world.alice.api('POST', MEMBERS, { username: 'gone-soon', role: 'owner' }, again);
    const first = (await ask()).expect(202).json();
    expect((await ask()).expect(202).json()).toEqual(first);
    await world.admin.api('DELETE', '/api/v1/users/gone-soon').expect(204);
    expect(await itemsOf(world.alice, `${ACME}/invitations?limit=200`)).not.toContainEqual(first);
    const { id } = await offer(world.alice, 'dave');
    await world.dave.api('DELETE', `${RECEIVED}/${id}`).expect(204);
  });
});

describe('where only administrators make organizations', () => {
  const strict = useWorld({ ORG_CREATION: 'admin' });

  it('refuses everybody else, who may still own one that was made for them', async () => {
    refused(await strict.alice.api('POST', ORGS, { name: 'hers' }), 403, 'DENIED');
    await strict.admin.api('POST', ORGS, { name: 'hers' }).expect(201);
    const owner = { username: 'alice', role: 'owner' };
    await becomesOwner(strict.alice, await strict.admin.api('POST', '/api/v1/orgs/hers/members', owner));
    await strict.alice.api('DELETE', '/api/v1/orgs/hers/members/admin').expect(204);
    await strict.alice.api('PATCH', '/api/v1/orgs/hers', { defaultRole: 'read' }).expect(200);
  });
});
