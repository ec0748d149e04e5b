import { beforeAll, describe, expect, it } from '@jest/globals';
import { signUp, useWorld } from '../conformance/world.js';
import type { Reply } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { query } from './left-behind.js';
import { becomesOwner, ORGS, refused, withBasic } from './organizations.js';

const world = useWorld();
let carol: RegistryClient;
let count = 0;

beforeAll(async () => {
  carol = await signUp(world.admin, 'carol');
}, 60_000);

/** An organization of alice's. */
async function newOrg(settings: object = {}): Promise<string> {
  const name = `org-${++count}`;
  await world.alice.api('POST', ORGS, { name, ...settings }).expect(201);
  return name;
}

async function addMember(org: string, username: string, role: string): Promise<void> {
  await world.alice.api('POST', `${ORGS}/${org}/members`, { username, role }).expect(201);
}

const pushes = async (client: RegistryClient, repository: string): Promise<number> =>
  (await client.request('POST', `/v2/${repository}/blobs/uploads/`)).status;

interface List<T = Record<string, unknown>> {
  readonly items: T[];
  readonly next: string | null;
}

/** Every entry of a list, page by page, following `Link`. */
async function pages(client: RegistryClient, path: string): Promise<Record<string, unknown>[][]> {
  const found: Record<string, unknown>[][] = [];
  for (let next: string | undefined = path; next !== undefined;) {
    const reply: Reply = await client.api('GET', next).expect(200);
    const { items, next: cursor } = reply.json<List>();
    found.push(items);
    next = /^<(.*)>; rel="next"$/.exec(reply.header('link') ?? '')?.[1];
    expect(next === undefined).toBe(cursor === null);
  }
  return found;
}

describe('an organization', () => {
  it('lives from its creation to its deletion, and its name stays taken', async () => {
    const draft = { name: 'acme', displayName: 'Acme, Inc.' };
    const made = (await world.alice.api('POST', ORGS, draft)).expect(201);
    expect(made.need('location')).toBe(`${ORGS}/acme`);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const shown = { ...draft, defaultRole: null, role: 'owner', createdAt: time, updatedAt: time };
    expect(made.json()).toEqual(shown);
    expect((await world.alice.api('GET', `${ORGS}/acme`)).expect(200).json()).toEqual(made.json());
    const changed = await world.alice.api('PATCH', `${ORGS}/acme`, { displayName: null, defaultRole: 'read' });
    expect(changed.expect(200).json()).toMatchObject({ displayName: null, defaultRole: 'read', role: 'owner' });
    refused(await world.bob.api('POST', ORGS, { name: 'acme' }), 409, 'NAME_TAKEN');
    await world.alice.pushImage('acme/app', 'v1');
    expect(refused(await world.alice.api('DELETE', `${ORGS}/acme`), 409, 'CONFLICT')).toMatchObject({
      detail: expect.stringContaining('acme/app'),
    });
    await query(world.registry, `UPDATE repos SET deleted_at = now() WHERE path = 'acme/app'`);
    await world.alice.api('DELETE', `${ORGS}/acme`).expect(204);
    refused(await world.alice.api('GET', `${ORGS}/acme`), 404, 'NOT_FOUND');
    refused(await world.admin.api('GET', `${ORGS}/acme`), 404, 'NOT_FOUND');
    expect(await pushes(world.alice, 'acme/other')).toBe(404);
    for (const client of [world.alice, world.admin]) {
      refused(await client.api('POST', ORGS, { name: 'acme' }), 409, 'NAME_TAKEN');
    }
  });

  it.each([
    [{ name: 'Acme' }, 400, 'VALIDATION_FAILED'],
    [{ name: 'x' }, 400, 'VALIDATION_FAILED'],
    [{}, 400, 'VALIDATION_FAILED'],
    [{ name: 'fine', displayName: 'x'.repeat(101) }, 400, 'VALIDATION_FAILED'],
    [{ name: 'fine', displayName: '\0' }, 400, 'MALFORMED_REQUEST'],
    [{ name: 'fine', defaultRole: 'owner' }, 400, 'VALIDATION_FAILED'],
    [{ name: 'fine', owner: 'alice' }, 400, 'UNKNOWN_FIELD'],
    [{ name: 'robot-ci' }, 422, 'IMPOSSIBLE'],
    [{ name: 'v2' }, 422, 'IMPOSSIBLE'],
    [{ name: 'bob' }, 409, 'NAME_TAKEN'],
  ])('is not made of %j: %i %s', async (body, status, code) => {
    refused(await world.alice.api('POST', ORGS, body), status, code);
  });

  it('is made once by a create that is repeated under the same key, which means this create and no other', async () => {
    const [name, headers] = [`org-${++count}`, { 'idempotency-key': 'create-1' }];
    const ask = (): PromiseLike<Reply> => world.alice.api('POST', ORGS, { name }, headers);
    const [one, other] = await Promise.all([ask(), ask()]);
    expect(other.expect(201).json()).toEqual(one.expect(201).json());
    expect(other.need('location')).toBe(`${ORGS}/${name}`);
    refused(await world.alice.api('POST', ORGS, { name: 'another' }, headers), 422, 'IDEMPOTENCY_KEY_REUSED');
    await world.bob.api('POST', ORGS, { name: `org-${++count}` }, headers).expect(201);
  });

  it('changes nothing when If-Match names an older state, and lets one of many through', async () => {
    const path = `${ORGS}/${await newOrg()}`;
    const etag = (await world.alice.api('GET', path)).need('etag');
    const patch = (_: unknown, i: number): PromiseLike<Reply> =>
      world.alice.api('PATCH', path, { displayName: `writer ${i}` }, { 'if-match': etag });
    const statuses = (await Promise.all(Array.from({ length: 6 }, patch))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 412, 412, 412, 412, 412]);
    refused(
      await world.alice.api('PATCH', path, { displayName: 'x' }, { 'if-match': etag }),
      412,
      'PRECONDITION_FAILED',
    );
  });

  it('is not there for others, just like one that does not exist; members may see it and no more', async () => {
    const org = await newOrg();
    const member = { username: 'carol', role: 'member' };
    const calls = (name: string): (readonly [string, string, object?])[] => [
      ['GET', `${ORGS}/${name}`],
      ['PATCH', `${ORGS}/${name}`, { displayName: 'x' }],
      ['DELETE', `${ORGS}/${name}`],
      ['GET', `${ORGS}/${name}/members`],
      ['POST', `${ORGS}/${name}/members`, member],
      ['PATCH', `${ORGS}/${name}/members/alice`, { role: 'admin' }],
      ['DELETE', `${ORGS}/${name}/members/alice`],
      ['POST', `${ORGS}/${name}/teams`, { name: 'dev' }],
      ['POST', `${ORGS}/${name}/robots`, { name: 'ci' }],
      ['GET', `${ORGS}/${name}/robots`],
      ['GET', `${ORGS}/${name}/invitations`],
    ];
    for (const [index, call] of calls(org).entries()) {
      const hidden = refused(await world.bob.api(...call), 404, 'NOT_FOUND');
      const none = refused(await world.bob.api(...(calls('no-such-org')[index] ?? call)), 404, 'NOT_FOUND');
      expect(hidden).toEqual(none);
      refused(await world.anonymous.api(...call), 401, 'UNAUTHORIZED');
      refused(await world.admin.api(...(calls('no-such-org')[index] ?? call)), 404, 'NOT_FOUND');
    }
    await addMember(org, 'bob', 'member');
    const statuses: number[] = [];
    for (const call of calls(org)) statuses.push((await world.bob.api(...call)).status);
    expect(statuses).toEqual([200, 403, 403, 200, 403, 403, 403, 403, 403, 200, 403]);
  });

  it('is no name of a path that can be none', async () => {
    for (const name of ['%00', 'A', 'a%2Fb', '%F0%9F%90%B3']) {
      refused(await world.admin.api('GET', `${ORGS}/${name}`), 404, 'NOT_FOUND');
      refused(await world.admin.api('PATCH', `${ORGS}/${name}`, { displayName: 'x' }), 404, 'NOT_FOUND');
    }
  });

  it('is in the lists of its members and of administrators, page by page in the order of names', async () => {
    const dave = await signUp(world.admin, 'dave');
    const names = ['zz-1', 'aa-2', 'mm-3'];
    for (const name of names) await dave.api('POST', ORGS, { name }).expect(201);
    const mine = await pages(dave, `${ORGS}?limit=2`);
    expect(mine.map((page) => page.map(({ name, role }) => [name, role]))).toEqual([
      [
        ['aa-2', 'owner'],
        ['mm-3', 'owner'],
      ],
      [['zz-1', 'owner']],
    ]);
    const all = (await pages(world.admin, `${ORGS}?limit=3`)).flat();
    expect(all.filter(({ name }) => names.includes(String(name)))).toHaveLength(3);
    expect(all.map(({ name }) => name)).toEqual(all.map(({ name }) => String(name)).sort());
    expect(all.find(({ name }) => name === 'aa-2')).toMatchObject({ role: null });
    refused(await dave.api('GET', `${ORGS}?cursor=WzFd`), 400, 'MALFORMED_REQUEST');
    dave.close();
  });
});

describe('the members of an organization', () => {
  let org: string;
  let members: string;

  beforeAll(async () => {
    org = await newOrg();
    members = `${ORGS}/${org}/members`;
  });

  it('are added, changed, listed and removed', async () => {
    const made = await world.alice.api('POST', members, { username: 'bob', role: 'member' }).expect(201);
    expect(made.need('location')).toBe(`${members}/bob`);
    expect(made.json()).toMatchObject({ username: 'bob', role: 'member', displayName: null });
    refused(await world.alice.api('POST', members, { username: 'bob', role: 'admin' }), 409, 'CONFLICT');
    expect((await world.alice.api('PATCH', `${members}/bob`, { role: 'admin' })).expect(200).json()).toMatchObject({
      role: 'admin',
    });
    await world.bob.api('POST', members, { username: 'carol', role: 'member' }).expect(201);
    const listed = await pages(carol, `${members}?limit=1`);
    expect(listed.map(([one]) => [one?.['username'], one?.['role']])).toEqual([
      ['alice', 'owner'],
      ['bob', 'admin'],
      ['carol', 'member'],
    ]);
    await world.bob.api('DELETE', `${members}/carol`).expect(204);
    await world.alice.api('DELETE', `${members}/bob`).expect(204);
    refused(await world.alice.api('DELETE', `${members}/bob`), 404, 'NOT_FOUND');
    refused(await world.bob.api('GET', members), 404, 'NOT_FOUND');
    refused(await world.alice.api('GET', `${members}?cursor=WzEuNV0`), 400, 'MALFORMED_REQUEST');
  });

  it('are users', async () => {
    const add = (username: string): PromiseLike<Reply> =>
      world.alice.api('POST', members, { username, role: 'member' });
    expect(refused(await add(org), 422, 'IMPOSSIBLE')).toEqual(refused(await add('no-such-user'), 422, 'IMPOSSIBLE'));
    refused(await add('No'), 400, 'VALIDATION_FAILED');
  });

  it('have owners whom only owners make and unmake', async () => {
    await addMember(org, 'bob', 'admin');
    await addMember(org, 'carol', 'member');
    refused(await world.bob.api('PATCH', `${members}/carol`, { role: 'owner' }), 403, 'DENIED');
    refused(await world.bob.api('PATCH', `${members}/bob`, { role: 'owner' }), 403, 'DENIED');
    refused(await world.bob.api('PATCH', `${members}/alice`, { role: 'member' }), 403, 'DENIED');
    refused(await world.bob.api('DELETE', `${members}/alice`), 403, 'DENIED');
    refused(await world.bob.api('POST', members, { username: 'dave', role: 'owner' }), 403, 'DENIED');
    refused(await world.bob.api('DELETE', `${ORGS}/${org}`), 403, 'DENIED');
    await becomesOwner(carol, await world.alice.api('PATCH', `${members}/carol`, { role: 'owner' }));
    await carol.api('PATCH', `${members}/carol`, { role: 'member' }).expect(200);
  });

  it('may leave, except for the last owner', async () => {
    refused(await world.alice.api('DELETE', `${members}/alice`), 409, 'CONFLICT');
    refused(await world.alice.api('PATCH', `${members}/alice`, { role: 'admin' }), 409, 'CONFLICT');
    refused(await world.admin.api('DELETE', `${members}/alice`), 409, 'CONFLICT');
    refused(await carol.api('DELETE', `${members}/bob`), 403, 'DENIED');
    await carol.api('DELETE', `${members}/carol`).expect(204);
    await world.bob.api('DELETE', `${members}/bob`).expect(204);
    refused(await carol.api('GET', `${ORGS}/${org}`), 404, 'NOT_FOUND');
  });

  it('keep an owner, also when two owners unmake each other at once', async () => {
    for (let round = 0; round < 5; round++) {
      const path = `${ORGS}/${await newOrg()}/members`;
      await becomesOwner(world.bob, await world.alice.api('POST', path, { username: 'bob', role: 'owner' }));
      const replies = await Promise.all([
        world.alice.api('PATCH', `${path}/bob`, { role: 'member' }),
        world.bob.api('DELETE', `${path}/alice`),
      ]);
      const [won, lost] = replies.map(({ status }) => status).sort();
      expect([200, 204]).toContain(won);
      // Whoever is late may already be told that they are no owner any more.
      expect([403, 404, 409]).toContain(lost);
      const { items } = (await world.admin.api('GET', path).expect(200)).json<List>();
      expect(items.filter(({ role }) => role === 'owner')).toHaveLength(1);
    }
  });

  it('may push and pull by the default role, and what changes counts on the next request', async () => {
    const bob = withBasic(world, world.bob);
    const name = await newOrg({ defaultRole: 'write' });
    expect(await pushes(bob, `${name}/app`)).toBe(404);
    await addMember(name, 'bob', 'member');
    await bob.pushImage(`${name}/app`, 'v1');
    await world.alice.api('PATCH', `${ORGS}/${name}`, { defaultRole: 'read' }).expect(200);
    expect(await pushes(bob, `${name}/app`)).toBe(403);
    await bob.getManifest(`${name}/app`, 'v1').expect(200);
    await world.alice.api('PATCH', `${ORGS}/${name}`, { defaultRole: null }).expect(200);
    await bob.getManifest(`${name}/app`, 'v1').expect(404);
    await world.alice.api('PATCH', `${ORGS}/${name}/members/bob`, { role: 'admin' }).expect(200);
    expect(await pushes(bob, `${name}/app`)).toBe(202);
    await world.alice.api('DELETE', `${ORGS}/${name}/members/bob`).expect(204);
    expect(await pushes(bob, `${name}/app`)).toBe(404);
    await bob.getManifest(`${name}/app`, 'v1').expect(404);
    bob.close();
  });

  it('leave a trail of who did what', async () => {
    const name = await newOrg();
    await addMember(name, 'bob', 'member');
    await world.alice.api('DELETE', `${ORGS}/${name}/members/bob`).expect(204);
    await world.alice.api('DELETE', `${ORGS}/${name}`).expect(204);
    const rows = await query<{ action: string; resource: string; detail: unknown; isOwn: boolean }>(
      world.registry,
      `SELECT e.action, e.resource, e.detail, u.username = 'alice' AND n.name = $1 AS "isOwn"
       FROM audit_events e JOIN users u ON e.actor = 'user:' || u.id JOIN namespaces n ON n.id = e.namespace_id
       WHERE e.resource = 'org:' || $1 OR e.resource LIKE 'org:' || $1 || '/%' ORDER BY e.at`,
      [name],
    );
    expect(rows).toEqual([
      { action: 'org.create', resource: `org:${name}`, detail: { displayName: null, defaultRole: null }, isOwn: true },
      { action: 'member.add', resource: `org:${name}/member:bob`, detail: { role: 'member' }, isOwn: true },
      { action: 'member.remove', resource: `org:${name}/member:bob`, detail: { before: 'member' }, isOwn: true },
      { action: 'org.delete', resource: `org:${name}`, detail: { released: true }, isOwn: true },
    ]);
  });
});
