import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { signUp, useWorld } from '../conformance/world.js';
import type { Exchange, Reply } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { query } from './left-behind.js';
import { auditOf, makeKey, makeOrg, makeRobot, makeTeam, repoApi, repoApiSpread, statusesOf } from './tenants.js';

const world = useWorld();
/** Owner of `acme`; a member of its team `dev`; its robot `ci`. */
let carol: RegistryClient;
let dave: RegistryClient;
let robot: RegistryClient;

beforeAll(async () => {
  carol = await signUp(world.admin, 'carol');
  dave = await signUp(world.admin, 'dave');
  (await signUp(world.admin, 'erin')).close();
  const members = { carol: 'owner', dave: 'member', erin: 'member' };
  await makeOrg(world.registry, 'acme', { members });
  await makeOrg(world.registry, 'open', { members: { erin: 'member' }, defaultRole: 'read' });
  await makeTeam(world.registry, 'acme', 'dev', ['dave']);
  await makeTeam(world.registry, 'open', 'elsewhere', []);
  await makeRobot(world.registry, 'acme', 'ci');
  await makeRobot(world.registry, 'open', 'bot');
  const key = await makeKey(world.registry, 'robot-acme.ci', ['repo:pull', 'repo:push', 'repo:delete', 'manage']);
  robot = world.admin.as('robot-acme.ci', key);
});

let count = 0;
let path: string;
let digest: string;

beforeEach(async () => {
  path = `acme/team/app-${++count}`;
  digest = (await carol.pushImage(path, 'v1')).digest;
});

const read = (client: RegistryClient): Exchange => client.api('GET', repoApi(path, '/permissions'));
const grant = (client: RegistryClient, grants: readonly object[], etag?: string): Exchange =>
  client.api('PUT', repoApi(path, '/permissions'), { grants }, etag === undefined ? {} : { 'if-match': etag });
const explain = (client: RegistryClient, question = ''): Exchange =>
  client.api('GET', repoApi(path, `/permissions/effective${question}`));

describe('PUT …/permissions', () => {
  it('replaces the list, and shows it as everybody writes it', async () => {
    const grants = [
      { kind: 'robot', name: 'ci', role: 'write' },
      { kind: 'team', name: 'dev', role: 'read' },
      { kind: 'user', name: 'bob', role: 'admin' },
    ];
    const made = await grant(carol, [...grants].reverse()).expect(200);
    expect(made.json()).toEqual({ grants });
    expect(made.need('etag')).toBe((await read(carol).expect(200)).need('etag'));
    const spread = await carol.api('GET', repoApiSpread(path, '/permissions')).expect(200);
    expect(spread.json()).toEqual({ grants });
    const byLogin = { kind: 'robot', name: 'robot-acme.ci', role: 'read' };
    expect((await grant(carol, [byLogin]).expect(200)).json()).toEqual({ grants: [{ ...byLogin, name: 'ci' }] });
    expect((await auditOf(world.registry, path)).filter(({ action }) => action === 'permissions.update')).toEqual([
      expect.objectContaining({ detail: { added: [...grants].reverse(), changed: [], removed: [] } }),
      expect.objectContaining({
        detail: {
          added: [],
          changed: [{ kind: 'robot', name: 'ci', role: 'read', before: 'write' }],
          removed: [grants[1], grants[2]],
        },
      }),
    ]);
  });

  it.each([
    [[{ kind: 'user', name: 'nobody-here', role: 'read' }], 'grants.0.name'],
    [
      [
        { kind: 'user', name: 'bob', role: 'read' },
        { kind: 'team', name: 'elsewhere', role: 'read' },
      ],
      'grants.1.name',
    ],
    [[{ kind: 'robot', name: 'bot', role: 'read' }], 'grants.0.name'],
    [[{ kind: 'robot', name: 'robot-open.bot', role: 'read' }], 'grants.0.name'],
    [[{ kind: 'team', name: 'bob', role: 'read' }], 'grants.0.name'],
    [
      [
        { kind: 'robot', name: 'ci', role: 'read' },
        { kind: 'robot', name: 'robot-acme.ci', role: 'write' },
      ],
      'grants.1.name',
    ],
    [
      [
        { kind: 'user', name: 'bob', role: 'read' },
        { kind: 'user', name: 'bob', role: 'read' },
      ],
      'grants.1.name',
    ],
  ])('finds %j impossible, changes nothing and names the entry', async (grants, field) => {
    await grant(carol, [{ kind: 'user', name: 'erin', role: 'read' }]).expect(200);
    const refused = (await grant(carol, grants).expect(422)).json();
    expect(refused).toMatchObject({ code: 'IMPOSSIBLE', errors: [{ field }] });
    expect((await read(carol)).json()).toEqual({ grants: [{ kind: 'user', name: 'erin', role: 'read' }] });
  });

  it.each([
    [{}, 'grants'],
    [{ grants: 'all' }, 'grants'],
    [{ grants: [{ kind: 'org', name: 'acme', role: 'read' }] }, 'grants.0.kind'],
    [{ grants: [{ kind: 'user', name: 'bob', role: 'owner' }] }, 'grants.0.role'],
    [{ grants: [{ kind: 'user', name: 7, role: 'read' }] }, 'grants.0.name'],
    [{ grants: [{ kind: 'user', name: 'bob', role: 'read', until: 'x' }] }, 'grants.0.until'],
    [{ grants: ['bob'] }, 'grants.0'],
    [{ grants: [null] }, 'grants.0'],
  ])('refuses %j', async (body, field) => {
    const refused = (await carol.api('PUT', repoApi(path, '/permissions'), body).expect(400)).json();
    expect(refused).toMatchObject({
      errors: [expect.objectContaining({ field: expect.stringContaining(field) as unknown })],
    });
  });

  it('takes five hundred and no more', async () => {
    await query(
      world.registry,
      `INSERT INTO teams (org_id, name) SELECT o.id, 'team-' || i FROM orgs o JOIN namespaces n ON n.id = o.namespace_id,
         generate_series(1, 500) AS i WHERE n.name = 'acme' ON CONFLICT DO NOTHING`,
    );
    const many = Array.from({ length: 500 }, (_, i) => ({ kind: 'team', name: `team-${i + 1}`, role: 'read' }));
    expect((await grant(carol, many).expect(200)).json<{ grants: unknown[] }>().grants).toHaveLength(500);
    await carol.getManifest(path, 'v1').expect(200);
    await grant(carol, [...many, { kind: 'user', name: 'bob', role: 'read' }]).expect(400);
  });

  it('changes nothing when If-Match names another list, and lets one of many through', async () => {
    const etag = (await read(carol)).need('etag');
    const asked = Array.from({ length: 6 }, (_, i) => [
      { kind: 'user', name: 'bob', role: ['read', 'write', 'admin'][i % 3] },
    ]);
    const replies = await Promise.all(asked.map((grants) => grant(carol, grants, etag)));
    expect(statusesOf(replies)).toEqual([200, 412, 412, 412, 412, 412]);
    const won = asked[replies.findIndex(({ status }) => status === 200)];
    expect((await read(carol)).json()).toEqual({ grants: won });
    await grant(carol, [], '*').expect(200);
  });

  it('never mixes two lists that are put at once', async () => {
    const lists = [
      [
        { kind: 'robot', name: 'ci', role: 'read' },
        { kind: 'user', name: 'bob', role: 'read' },
      ],
      [
        { kind: 'team', name: 'dev', role: 'write' },
        { kind: 'user', name: 'bob', role: 'admin' },
      ],
    ] as const;
    for (let round = 0; round < 10; round++) {
      const replies = await Promise.all([...lists, ...lists].map((grants) => grant(carol, grants)));
      expect(statusesOf(replies)).toEqual([200, 200, 200, 200]);
      expect(lists.map((grants) => ({ grants }))).toContainEqual((await read(carol)).json());
    }
  });

  it('is for who manages the repository, and grants no more than the credential holds', async () => {
    await grant(carol, [{ kind: 'user', name: 'bob', role: 'write' }]).expect(200);
    for (const request of [read(world.bob), grant(world.bob, [])]) await request.expect(403);
    for (const request of [read(dave), grant(dave, [])]) await request.expect(404);
    for (const request of [read(world.anonymous), grant(world.anonymous, [])]) await request.expect(401);

    const key = async (...scopes: string[]): Promise<RegistryClient> =>
      world.admin.as('carol', await makeKey(world.registry, 'carol', scopes), 'basic');
    const bob = { kind: 'user', name: 'bob', role: 'write' };
    const puller = await key('repo:pull', 'manage');
    await grant(await key('repo:pull', 'repo:push', 'repo:delete'), [bob]).expect(403);
    const refused = await grant(puller, [bob, { kind: 'user', name: 'erin', role: 'write' }]).expect(403);
    expect(refused.json()).toMatchObject({ code: 'DENIED', errors: [{ field: 'grants.1.role' }] });
    await grant(puller, [{ ...bob, role: 'admin' }]).expect(403);
    await grant(puller, [bob, { kind: 'user', name: 'erin', role: 'read' }]).expect(200);
    await grant(puller, [{ ...bob, role: 'read' }]).expect(200);
    await grant(await key('manage'), [{ kind: 'user', name: 'erin', role: 'read' }]).expect(403);
    await grant(await key('manage'), []).expect(200);
  });
});

describe('GET …/permissions/effective', () => {
  const NOTHING = { role: null, actions: [], reasons: [] };
  const READ = { role: 'read', actions: ['pull'] };
  const WRITE = { role: 'write', actions: ['pull', 'push'] };
  const ADMIN = { role: 'admin', actions: ['pull', 'push', 'delete', 'manage'] };

  it('says which grant, team, organization or default gives what', async () => {
    await grant(carol, [
      { kind: 'robot', name: 'ci', role: 'write' },
      { kind: 'team', name: 'dev', role: 'write' },
      { kind: 'user', name: 'dave', role: 'read' },
      { kind: 'user', name: 'bob', role: 'read' },
    ]).expect(200);
    const answer = async (question: string): Promise<unknown> => (await explain(carol, question).expect(200)).json();
    const user = (name: string): object => ({ kind: 'user', name, active: true });
    expect(await answer('?user=dave')).toEqual({
      ...user('dave'),
      ...WRITE,
      reasons: [
        { kind: 'grant', role: 'read' },
        { kind: 'team', role: 'write', team: 'dev' },
      ],
    });
    const own = [{ kind: 'orgRole', role: 'admin', org: 'acme', orgRole: 'owner' }];
    expect(await answer('?user=carol')).toEqual({ ...user('carol'), ...ADMIN, reasons: own });
    expect(await answer('')).toEqual({ ...user('carol'), ...ADMIN, reasons: own });
    expect(await answer('?user=bob')).toEqual({ ...user('bob'), ...READ, reasons: [{ kind: 'grant', role: 'read' }] });
    expect(await answer('?user=erin')).toEqual({ ...user('erin'), ...NOTHING });
    const admins = { ...user('admin'), ...ADMIN, reasons: [{ kind: 'administrator', role: 'admin' }] };
    expect((await explain(world.admin, '?user=admin').expect(200)).json()).toEqual(admins);
    const ci = {
      kind: 'robot',
      name: 'robot-acme.ci',
      active: true,
      ...WRITE,
      reasons: [{ kind: 'grant', role: 'write' }],
    };
    expect(await answer('?robot=ci')).toEqual(ci);
    const withKey = robot.as('robot-acme.ci', robot.options.password ?? '', 'basic');
    for (const question of ['', '?robot=ci', '?robot=robot-acme.ci']) {
      expect((await explain(withKey, question).expect(200)).json()).toEqual(ci);
    }
    await explain(withKey, '?user=bob').expect(403);
  });

  it('says what an organization’s default and a public repository give', async () => {
    path = 'open/app';
    await world.admin.api('PUT', repoApi(path), {}).expect(201);
    const erins = (await explain(world.admin, '?user=erin').expect(200)).json();
    expect(erins).toMatchObject({
      ...READ,
      reasons: [{ kind: 'orgDefault', role: 'read', org: 'open', orgRole: 'member' }],
    });
    await world.admin.api('PATCH', repoApi(path), { visibility: 'public' }).expect(200);
    expect((await explain(world.admin, '?user=bob')).json()).toMatchObject({
      role: null,
      actions: ['pull'],
      reasons: [],
    });
    expect((await explain(world.anonymous).expect(200)).json()).toMatchObject({ kind: 'anonymous', actions: ['pull'] });
  });

  it('answers for oneself whoever may pull, for others who manages, and tells nobody else who exists', async () => {
    await explain(world.bob).expect(404);
    await grant(carol, [{ kind: 'user', name: 'bob', role: 'read' }]).expect(200);
    expect((await explain(world.bob).expect(200)).json()).toMatchObject({ name: 'bob', ...READ });
    await explain(world.bob, '?user=bob').expect(200);
    for (const question of ['?user=carol', '?user=nobody-here', '?robot=ci'])
      await explain(world.bob, question).expect(403);
    for (const question of ['?user=nobody-here', '?robot=bot', '?robot=robot-open.bot', '?user=No..body']) {
      await explain(carol, question).expect(404);
    }
    await explain(carol, '?user=bob&robot=ci').expect(400);
    await explain(carol, '?team=dev').expect(400);
  });

  it('tells a tenant neither who administers the registry nor which users are disabled', async () => {
    (await signUp(world.admin, 'grace')).close();
    await world.admin.api('PATCH', '/api/v1/users/grace', { disabled: true }).expect(200);
    for (const name of ['admin', 'grace']) {
      const told = (await explain(carol, `?user=${name}`).expect(200)).json();
      expect(told).toEqual({ kind: 'user', name, active: true, ...NOTHING });
    }
    expect((await explain(world.admin, '?user=grace').expect(200)).json()).toMatchObject({ active: false });
    // Grants need no consent: who has given one is told no more.
    const readers = ['admin', 'grace'].map((name) => ({ kind: 'user', name, role: 'read' }));
    await grant(carol, readers).expect(200);
    for (const name of ['admin', 'grace']) {
      expect((await explain(carol, `?user=${name}`).expect(200)).json()).toMatchObject({ active: true, ...READ });
    }
    expect((await explain(world.admin, '?user=admin').expect(200)).json()).toMatchObject({ active: true, ...ADMIN });
  });

  it('shows administrators that a disabled user may do nothing, and what it could', async () => {
    const frank = await signUp(world.admin, 'frank');
    frank.close();
    await grant(carol, [{ kind: 'user', name: 'frank', role: 'write' }]).expect(200);
    await world.admin.api('PATCH', '/api/v1/users/frank', { disabled: true }).expect(200);
    const disabled = { active: false, role: 'write', actions: [] };
    expect((await explain(world.admin, '?user=frank').expect(200)).json()).toMatchObject(disabled);
  });
});

describe('what was granted works on /v2 at the next request', () => {
  const catalogOf = async (client: RegistryClient): Promise<string[]> =>
    (await client.catalog().expect(200)).json<{ repositories: string[] }>().repositories;
  const pushed = (client: RegistryClient): PromiseLike<Reply> => client.request('POST', `/v2/${path}/blobs/uploads/`);
  const CASES: readonly (readonly [string, object, () => RegistryClient])[] = [
    ['a user', { kind: 'user', name: 'bob' }, () => world.bob],
    ['a team’s member', { kind: 'team', name: 'dev' }, () => dave],
    ['a robot', { kind: 'robot', name: 'ci' }, () => robot],
  ];

  it.each(CASES)('for %s', async (_who, grantee, clientOf) => {
    const client = clientOf();
    await client.getManifest(path, 'v1').expect(404);
    expect(await catalogOf(client)).not.toContain(path);

    await grant(carol, [{ ...grantee, role: 'read' }]).expect(200);
    await fresh(client).getManifest(path, 'v1').expect(200, { digest });
    expect((await pushed(fresh(client))).status).toBe(403);
    expect(await catalogOf(client)).toContain(path);

    await grant(carol, [{ ...grantee, role: 'write' }]).expect(200);
    await fresh(client).pushImage(path, 'v2');
    await fresh(client).deleteManifest(path, 'v2').expect(403);

    await grant(carol, [{ ...grantee, role: 'admin' }]).expect(200);
    await fresh(client).deleteManifest(path, 'v2').expect(202);

    // The same tokens as before: they are no right.
    await grant(carol, []).expect(200);
    await client.getManifest(path, 'v1').expect(404);
    expect((await pushed(client)).status).toBe(404);
    expect(await catalogOf(client)).not.toContain(path);
  });

  it('in the scope of tokens', async () => {
    const scope = `repository:${path}:pull,push,delete`;
    const granted = async (): Promise<string> => {
      const { username = '', password = '' } = world.bob.options;
      const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      const query = `service=aerugo&scope=${encodeURIComponent(scope)}`;
      const reply = await world.anonymous.raw('GET', `/api/v1/auth/token?${query}`, { headers: { authorization } });
      return reply.json<{ scope: string }>().scope;
    };
    expect(await granted()).toBe('');
    await grant(carol, [{ kind: 'user', name: 'bob', role: 'read' }]).expect(200);
    expect(await granted()).toBe(`repository:${path}:pull`);
    await grant(carol, [{ kind: 'user', name: 'bob', role: 'write' }]).expect(200);
    expect(await granted()).toBe(`repository:${path}:pull,push`);
  });

  it('for a mount that does not say from where', async () => {
    const blob = await carol.pushBlob(path, `only here ${path}`);
    const target = `bob/mounted-${count}`;
    await world.bob.mount(target, blob).expect(202);
    await grant(carol, [{ kind: 'user', name: 'bob', role: 'read' }]).expect(200);
    await world.bob.mount(target, blob).expect(201);
    await world.bob.headBlob(target, blob).expect(200);
    await grant(carol, [{ kind: 'team', name: 'dev', role: 'read' }]).expect(200);
    await world.bob.mount(`${target}-again`, blob, path).expect(202);
    await dave.mount(`dave/mounted-${count}`, blob).expect(201);
  });

  /** The same caller with new tokens, whose scope has what was granted since. */
  function fresh(client: RegistryClient): RegistryClient {
    const { username = '', password = '' } = client.options;
    return client.as(username, password);
  }
});
