import { beforeAll, describe, expect, it } from '@jest/globals';
import { signUp, useWorld } from '../conformance/world.js';
import type { Exchange, Reply } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { query } from './left-behind.js';
import { auditOf, makeKey, makeOrg, makeRobot, makeTeam, repoApi, repoApiSpread, statusesOf } from './tenants.js';

const world = useWorld();
let carol: RegistryClient;
let dave: RegistryClient;

beforeAll(async () => {
  carol = await signUp(world.admin, 'carol');
  dave = await signUp(world.admin, 'dave');
  await makeOrg(world.registry, 'acme', { members: { carol: 'owner', dave: 'member' } });
  await makeOrg(world.registry, 'partner', { members: { carol: 'admin' } });
  await makeTeam(world.registry, 'acme', 'dev', ['dave']);
  await makeRobot(world.registry, 'acme', 'ci');
  await makeTeam(world.registry, 'partner', 'dev', []);
});

const rename = (client: RegistryClient, path: string, body: object): Exchange =>
  client.api('POST', repoApi(path, '/rename'), body);
const aliasesOf = async (client: RegistryClient, path: string): Promise<string[]> => {
  const reply = await client.api('GET', repoApi(path, '/aliases')).expect(200);
  return reply.json<{ items: { path: string }[] }>().items.map((alias) => alias.path);
};
const grant = (client: RegistryClient, path: string, ...grants: object[]): Exchange =>
  client.api('PUT', repoApi(path, '/permissions'), { grants });

describe('POST …/rename', () => {
  it('moves the repository with its content; the old path resolves for pulls and takes no pushes', async () => {
    const [from, to] = [world.newRepository('from'), world.newRepository('team/to')];
    const { digest, layers } = await world.alice.pushImage(from, 'v1');
    const moved = await rename(world.alice, from, { name: to.slice('alice/'.length) }).expect(200);
    expect(moved.json()).toMatchObject({ path: to });
    expect(moved.need('etag')).toBe((await world.alice.api('GET', repoApi(to))).need('etag'));
    for (const path of [from, to]) {
      await world.alice.getManifest(path, 'v1').expect(200, { digest });
      await world.alice.headBlob(path, layers[0]?.digest ?? '').expect(200);
      expect((await world.alice.listTags(path)).json()).toMatchObject({ tags: ['v1'] });
    }
    await world.alice.request('POST', `/v2/${from}/blobs/uploads/`).expect(403, { code: 'DENIED' });
    await world.alice.putManifest(from, 'v2', '{"schemaVersion":2}').expect([400, 403]);
    await world.alice.pushImage(to, 'v2');
    await world.alice.getManifest(from, 'v2').expect(200);
    const names = (await world.alice.catalog()).json<{ repositories: string[] }>().repositories;
    expect(names).toContain(to);
    expect(names).not.toContain(from);
    expect(await auditOf(world.registry, from)).toContainEqual(
      expect.objectContaining({ action: 'repo.rename', detail: { from, to } }),
    );
  });

  it('says the same when it is repeated, and where the repository is when something else is asked', async () => {
    const [from, to] = [world.newRepository('twice'), world.newRepository('twice')];
    await world.alice.pushImage(from, 'v1');
    const name = to.slice('alice/'.length);
    for (const _ of [1, 2, 3]) await rename(world.alice, from, { name }).expect(200);
    await rename(world.alice, to, { name }).expect(200);
    await rename(world.alice, to, {}).expect(200);
    expect(await aliasesOf(world.alice, to)).toEqual([from]);
    const requests = [
      rename(world.alice, from, { name: 'elsewhere' }),
      world.alice.api('PATCH', repoApi(from), { description: 'x' }),
      world.alice.api('PUT', repoApi(from), {}),
      world.alice.api('DELETE', repoApi(from)),
      grant(world.alice, from),
      world.alice.api('DELETE', repoApi(from, `/aliases?path=${to}`)),
    ];
    for (const request of requests) {
      expect((await request.expect(409)).json()).toMatchObject({ detail: expect.stringContaining(to) as unknown });
    }
    expect((await world.alice.api('GET', repoApi(from)).expect(200)).json()).toMatchObject({ path: to });
  });

  it('takes back a path that it left, and gives the present one up for it', async () => {
    const [one, two] = [world.newRepository('back'), world.newRepository('back')];
    const names = [one, two].map((path) => path.slice('alice/'.length));
    const { digest } = await world.alice.pushImage(one, 'v1');
    for (let round = 0; round < 3; round++) {
      await rename(world.alice, one, { name: names[1] }).expect(200);
      for (const path of [one, two]) await world.alice.getManifest(path, 'v1').expect(200, { digest });
      await rename(world.alice, two, { name: names[0] }).expect(200);
      for (const path of [one, two]) await world.alice.getManifest(path, 'v1').expect(200, { digest });
    }
    expect(await aliasesOf(world.alice, one)).toEqual([two]);
  });

  it('does not take a path that another repository has or had', async () => {
    const [taken, left, mine] = ['taken', 'left', 'mine'].map((prefix) => world.newRepository(prefix)) as [
      string,
      string,
      string,
    ];
    for (const path of [taken, left, mine]) await world.alice.pushImage(path, 'v1');
    await rename(world.alice, left, { name: `${taken.slice('alice/'.length)}-away` }).expect(200);
    for (const path of [taken, left]) {
      const refused = await rename(world.alice, mine, { name: path.slice('alice/'.length) }).expect(409);
      expect(refused.json()).toMatchObject({ code: 'NAME_TAKEN' });
    }
    await world.alice.api('PUT', repoApi(left), {}).expect(409);
    expect(await aliasesOf(world.alice, mine)).toEqual([]);
  });

  it.each([
    [{ name: 'Upper' }, 'name'],
    [{ name: 'a//b' }, 'name'],
    [{ name: '' }, 'name'],
    [{ name: 'x'.repeat(255) }, 'name'],
    [{ namespace: 'a/b' }, 'namespace'],
    [{ namespace: '' }, 'namespace'],
    [{ name: null }, 'name'],
    [{ path: 'alice/x' }, 'path'],
  ])('refuses %j', async (body, field) => {
    const path = world.newRepository('refuse');
    await world.alice.api('PUT', repoApi(path), {}).expect(201);
    const refused = await rename(world.alice, path, body).expect(400);
    expect(refused.json()).toMatchObject({ errors: [expect.objectContaining({ field })] });
  });

  it('needs the right to manage where it goes, and says nothing of what is there', async () => {
    const path = world.newRepository('transfer');
    await world.alice.pushImage(path, 'v1');
    const shape = (reply: Reply): string => reply.text.replaceAll(/acme|nowhere|"requestId":"[^"]*"/g, '');
    const refusals = await Promise.all(
      ['acme', 'nowhere'].map((namespace) => rename(world.alice, path, { namespace })),
    );
    expect(refusals.map(({ status }) => status)).toEqual([403, 403]);
    expect(new Set(refusals.map(shape)).size).toBe(1);
    await rename(world.admin, path, { namespace: 'nowhere' }).expect(422);
    await rename(world.bob, path, { namespace: 'bob' }).expect(404);
    await grant(world.alice, path, { kind: 'user', name: 'bob', role: 'write' }).expect(200);
    await rename(world.bob, path, { namespace: 'bob' }).expect(403);
    // Who manages one repository by a grant is nobody in the namespace.
    await grant(world.alice, path, { kind: 'user', name: 'bob', role: 'admin' }).expect(200);
    await rename(world.bob, path, { name: 'renamed' }).expect(403);
    const limited = world.admin.as(
      'bob',
      await makeKey(world.registry, 'bob', ['repo:pull', 'manage'], [path]),
      'basic',
    );
    await rename(limited, path, { namespace: 'bob' }).expect(403);
    // Nor may they take it home with them: its path would serve what they have there.
    await rename(world.bob, path, { namespace: 'bob' }).expect(403);
    await world.alice.getManifest(path, 'v1').expect(200);
    expect(await aliasesOf(world.alice, path)).toEqual([]);
    await rename(world.alice, path, { name: path.slice('alice/'.length) }).expect(200);
    await rename(world.admin, path, { namespace: 'bob' }).expect(200);
  });
});

describe('a transfer to another organization', () => {
  it('takes away what teams and robots of the old one were granted, and leaves the users’ grants', async () => {
    const grants = [
      { kind: 'robot', name: 'ci', role: 'write' },
      { kind: 'team', name: 'dev', role: 'write' },
      { kind: 'user', name: 'bob', role: 'read' },
    ];
    const robot = world.admin.as(
      'robot-acme.ci',
      await makeKey(world.registry, 'robot-acme.ci', ['repo:pull', 'repo:push']),
    );
    await carol.pushImage('acme/moving', 'v1');
    await grant(carol, 'acme/moving', ...grants).expect(200);
    await robot.getManifest('acme/moving', 'v1').expect(200);
    await dave.getManifest('acme/moving', 'v1').expect(200);
    await rename(carol, 'acme/moving', { namespace: 'partner', name: 'moved' }).expect(200);
    expect((await carol.api('GET', repoApi('partner/moved', '/permissions'))).json()).toEqual({ grants: [grants[2]] });
    for (const path of ['acme/moving', 'partner/moved']) {
      await robot.getManifest(path, 'v1').expect(404);
      await dave.getManifest(path, 'v1').expect(404);
      await world.bob.getManifest(path, 'v1').expect(200);
    }
    expect((await world.bob.catalog()).json<{ repositories: string[] }>().repositories).toContain('partner/moved');
    const revoked = [
      { kind: 'robot', name: 'robot-acme.ci', role: 'write' },
      { kind: 'team', name: 'dev', role: 'write' },
    ];
    const detail = { from: 'acme/moving', to: 'partner/moved', revoked };
    for (const path of ['acme/moving', 'partner/moved']) {
      expect(await auditOf(world.registry, path)).toContainEqual(
        expect.objectContaining({ action: 'repo.rename', resource: `repo:${path}`, detail }),
      );
    }
  });
});

describe('former paths', () => {
  it('are listed, and free for others once they are released', async () => {
    const [from, to] = [world.newRepository('former'), world.newRepository('former')];
    await world.alice.pushImage(from, 'v1');
    await rename(world.alice, from, { name: to.slice('alice/'.length) }).expect(200);
    expect(await aliasesOf(world.alice, to)).toEqual([from]);
    await world.bob.api('GET', repoApi(to, '/aliases')).expect(404);
    await world.alice.api('DELETE', repoApi(to, '/aliases')).expect(400);
    await world.alice.api('DELETE', repoApi(to, `/aliases?path=${to}`)).expect(404);
    await world.alice.api('DELETE', repoApiSpread(to, `/aliases?path=${encodeURIComponent(from)}`)).expect(204);
    await world.alice.api('DELETE', repoApi(to, `/aliases?path=${from}`)).expect(404);
    await world.alice.getManifest(from, 'v1').expect(404);
    await world.alice.pushImage(from, 'v2');
    await world.alice.getManifest(from, 'v1').expect(404);
    await world.alice.getManifest(to, 'v2').expect(404);
    expect((await auditOf(world.registry, to)).at(-1)).toMatchObject({
      action: 'repo.alias.release',
      detail: { alias: from },
    });
  });

  it('are released by who manages the namespace that they are in, wherever the repository is', async () => {
    const erin = await signUp(world.admin, 'erin');
    await makeOrg(world.registry, 'left', { members: { carol: 'owner', erin: 'owner', dave: 'member' } });
    for (const name of ['one', 'two']) {
      await carol.pushImage(`left/${name}`, 'v1');
      await rename(carol, `left/${name}`, { namespace: 'partner', name: `left-${name}` }).expect(200);
    }
    await grant(carol, 'partner/left-one', { kind: 'user', name: 'dave', role: 'read' }).expect(200);
    await grant(carol, 'partner/left-two', { kind: 'user', name: 'bob', role: 'admin' }).expect(200);
    const release = (client: RegistryClient, at: string, path: string): Exchange =>
      client.api('DELETE', repoApi(at, `/aliases?path=${path}`));
    const listed = async (client: RegistryClient, page = ''): Promise<unknown> =>
      (await client.api('GET', `/api/v1/namespaces/left/aliases${page}`).expect(200)).json();

    const items = ['one', 'two'].map((name) => ({ path: `left/${name}`, createdAt: expect.any(String) }));
    expect(await listed(erin)).toEqual({ items, next: null });
    const { next } = (await listed(erin, '?limit=1')) as { next: string };
    expect(await listed(erin, `?limit=1&cursor=${next}`)).toEqual({ items: [items[1]], next: null });
    for (const client of [dave, world.alice]) {
      await client.api('GET', '/api/v1/namespaces/left/aliases').expect(403);
      await client.api('GET', '/api/v1/namespaces/nowhere/aliases').expect(403);
    }

    // Nothing tells who has no right there where the repository is, or that it is.
    await erin.api('GET', repoApi('left/one')).expect(404);
    await release(erin, 'partner/left-one', 'left/one').expect(404);
    await release(erin, 'left/one', 'left/two').expect(404);
    await release(world.alice, 'left/one', 'left/one').expect(404);
    await release(dave, 'left/one', 'left/one').expect(403);
    // Who manages it where it is, is nobody where it was, and knows how to ask.
    await release(world.bob, 'left/two', 'left/two').expect(409);
    const key = await makeKey(world.registry, 'erin', ['repo:pull', 'manage'], ['left/two']);
    await release(world.admin.as('erin', key, 'basic'), 'left/one', 'left/one').expect(404);

    await release(erin, 'left/one', 'left/one').expect(204);
    await release(erin, 'left/one', 'left/one').expect(404);
    await carol.getManifest('left/one', 'v1').expect(404);
    await carol.getManifest('partner/left-one', 'v1').expect(200);
    await erin.pushImage('left/one', 'v2');
    await release(world.bob, 'partner/left-two', 'left/two').expect(204);
    expect(await listed(erin)).toEqual({ items: [], next: null });
    const entry = { action: 'repo.alias.release', detail: { alias: 'left/one' } };
    for (const path of ['left/one', 'partner/left-one']) {
      expect(await auditOf(world.registry, path)).toContainEqual(
        expect.objectContaining({ ...entry, resource: `repo:${path}` }),
      );
    }
  });

  it('go with the repository', async () => {
    const [from, to] = [world.newRepository('gone'), world.newRepository('gone')];
    await world.alice.pushImage(from, 'v1');
    await rename(world.alice, from, { name: to.slice('alice/'.length) }).expect(200);
    await world.alice.getManifest(from, 'v1').expect(200);
    await world.alice.api('DELETE', repoApi(to)).expect(204);
    await world.alice.getManifest(from, 'v1').expect(404);
    await world.alice.pushImage(from, 'v2');
  });

  it.each(['org', 'user'] as const)('go with the namespace that they are in, of kind %s', async (kind) => {
    const name = `leaving-${kind}`;
    if (kind === 'org') await world.admin.api('POST', '/api/v1/orgs', { name }).expect(201);
    else await signUp(world.admin, name);
    const [from, to] = [`${name}/app`, `alice/from-${kind}`];
    await world.admin.pushImage(from, 'v1');
    await rename(world.admin, from, { namespace: 'alice', name: `from-${kind}` }).expect(200);
    await world.alice.getManifest(from, 'v1').expect(200);
    await world.admin.api('DELETE', `/api/v1/${kind}s/${name}`).expect(204);
    await world.alice.getManifest(from, 'v1').expect(404);
    await world.admin.api('POST', `/api/v1/namespaces/${name}/release`).expect(204);
    await world.admin.api('POST', '/api/v1/orgs', { name }).expect(201);
    await world.alice.getManifest(from, 'v1').expect(404);
    await world.admin.pushImage(from, 'v2');
    await world.admin.getManifest(from, 'v1').expect(404);
    await world.alice.getManifest(to, 'v1').expect(200);
    expect(await aliasesOf(world.alice, to)).toEqual([]);
  });

  it('that were left in a namespace before its name is released go with the release', async () => {
    const to = world.newRepository('release');
    await world.alice.pushImage(to, 'v1');
    await world.admin.api('POST', '/api/v1/orgs', { name: 'released' }).expect(201);
    await query(world.registry, `UPDATE namespaces SET held = true WHERE name = 'released'`);
    await world.admin.api('DELETE', '/api/v1/orgs/released').expect(204);
    const left = `INSERT INTO repo_aliases (path, repo_id) SELECT 'released/app', id FROM repos WHERE path = $1`;
    await query(world.registry, left, [to]);
    await world.alice.getManifest('released/app', 'v1').expect(404);
    await world.admin.api('POST', '/api/v1/namespaces/released/release').expect(204);
    await world.admin.api('POST', '/api/v1/orgs', { name: 'released' }).expect(201);
    await world.alice.getManifest('released/app', 'v1').expect(404);
    expect(await aliasesOf(world.alice, to)).toEqual([]);
  });

  it('are a hundred at most', async () => {
    const path = world.newRepository('many');
    await world.alice.api('PUT', repoApi(path), {}).expect(201);
    await query(
      world.registry,
      `INSERT INTO repo_aliases (path, repo_id)
       SELECT 'alice/former-' || i, r.id FROM repos r, generate_series(1, 100) AS i WHERE r.path = $1`,
      [path],
    );
    await rename(world.alice, path, { name: 'one-more' }).expect(409);
    await rename(world.alice, path, { name: 'former-7' }).expect(200);
    const page = await world.alice.api('GET', repoApi('alice/former-7', '/aliases?limit=60')).expect(200);
    const { items, next } = page.json<{ items: unknown[]; next: string }>();
    expect(items).toHaveLength(60);
    const rest = await world.alice.api('GET', repoApi('alice/former-7', `/aliases?limit=60&cursor=${next}`));
    expect(rest.json<{ items: unknown[] }>().items).toHaveLength(40);
  });
});

describe('races', () => {
  const namesOf = (paths: readonly string[]): string[] => paths.map((path) => path.slice('alice/'.length));

  it('two renames of one repository: one goes through, and both paths lead to it', async () => {
    for (let round = 0; round < 5; round++) {
      const [from, ...targets] = Array.from({ length: 4 }, () => world.newRepository('race')) as [string, ...string[]];
      await world.alice.pushImage(from, 'v1');
      const replies = await Promise.all(namesOf(targets).map((name) => rename(world.alice, from, { name })));
      expect(statusesOf(replies)).toEqual([200, 409, 409]);
      await world.alice.getManifest(from, 'v1').expect(200);
    }
  });

  it('two repositories to one path, and each to the other’s: nobody ends up with both', async () => {
    for (let round = 0; round < 5; round++) {
      const [a, b, to] = Array.from({ length: 3 }, () => world.newRepository('race')) as [string, string, string];
      for (const path of [a, b]) await world.alice.pushImage(path, 'v1');
      const [nameA, nameB, name] = namesOf([a, b, to]);
      const swap = await Promise.all([
        rename(world.alice, a, { name: nameB }),
        rename(world.alice, b, { name: nameA }),
      ]);
      expect(statusesOf(swap)).toEqual([409, 409]);
      const meet = await Promise.all([rename(world.alice, a, { name }), rename(world.alice, b, { name })]);
      expect(statusesOf(meet)).toEqual([200, 409]);
    }
  });

  it('a rename and a first push at its target: one of them has the path', async () => {
    for (let round = 0; round < 5; round++) {
      const [from, to] = [world.newRepository('race'), world.newRepository('race')];
      await world.alice.pushImage(from, 'v1');
      const [moved, made] = await Promise.all([
        rename(world.alice, from, { name: to.slice('alice/'.length) }),
        world.alice.api('PUT', repoApi(to), {}),
      ]);
      // Who comes second to a repository that was moved there replaces its settings.
      expect([
        [200, 200],
        [409, 201],
      ]).toContainEqual([moved.status, made.status]);
      const rows = await query(world.registry, 'SELECT FROM repos WHERE path = $1 AND deleted_at IS NULL', [to]);
      expect(rows).toHaveLength(1);
    }
  });

  it('a rename and a push at its source: nobody makes a repository at the path that it left', async () => {
    for (let round = 0; round < 8; round++) {
      const [from, to] = [world.newRepository('race'), world.newRepository('race')];
      await world.alice.pushImage(from, 'v1');
      const [moved, pushed] = await Promise.all([
        rename(world.alice, from, { name: to.slice('alice/'.length) }),
        world.alice.pushImage(from, 'v2').catch(() => null),
      ]);
      moved.expect(200);
      const rows = await query(
        world.registry,
        'SELECT path FROM repos WHERE path = $1 AND deleted_at IS NULL UNION ALL SELECT path FROM repo_aliases WHERE path = $1',
        [from],
      );
      expect(rows).toHaveLength(1);
      // What was acknowledged is there, under both paths, at once.
      for (const path of [from, to]) await world.alice.getManifest(path, 'v2').expect(pushed ? 200 : [200, 404]);
    }
  });
});
