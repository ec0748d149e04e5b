import { beforeAll, describe, expect, it } from '@jest/globals';
import { signUp, useWorld } from '../conformance/world.js';
import type { Reply } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { auditOf, makeKey, makeOrg, makeTeam, repoApi, repoApiSpread, statusesOf } from './tenants.js';

const world = useWorld();
let carol: RegistryClient;
let dave: RegistryClient;

beforeAll(async () => {
  carol = await signUp(world.admin, 'carol');
  dave = await signUp(world.admin, 'dave');
  await makeOrg(world.registry, 'acme', { members: { carol: 'member' }, defaultRole: 'write' });
  await makeOrg(world.registry, 'other', { members: { dave: 'member' } });
});

describe('PUT /api/v1/repos/{namespace}/{name}', () => {
  it('makes a repository, in lists at once, and replaces its settings afterwards', async () => {
    const path = world.newRepository('put');
    const made = await world.alice.api('PUT', repoApi(path), { description: 'New', sparse: true }).expect(201);
    expect(made.need('location')).toBe(repoApi(path));
    expect(made.json()).toMatchObject({ path, visibility: 'private', sparse: true, description: 'New' });
    expect((await world.alice.catalog()).json<{ repositories: string[] }>().repositories).toContain(path);
    const replaced = await world.alice.api('PUT', repoApiSpread(path), { visibility: 'public' }).expect(200);
    expect(replaced.json()).toMatchObject({ visibility: 'public', sparse: false, description: '' });
    await world.anonymous.api('GET', repoApi(path)).expect(200);
    const actions = (await auditOf(world.registry, path)).map(({ action }) => action);
    expect(actions).toEqual(['repo.create', 'repo.update']);
  });

  it('obeys If-Match, also that there is something', async () => {
    const path = world.newRepository('put');
    await world.alice.api('PUT', repoApi(path), {}, { 'if-match': '"1-1"' }).expect(412);
    const etag = (await world.alice.api('PUT', repoApi(path), {}).expect(201)).need('etag');
    await world.alice.api('PUT', repoApi(path), { description: 'a' }, { 'if-match': etag }).expect(200);
    await world.alice.api('PUT', repoApi(path), { description: 'b' }, { 'if-match': etag }).expect(412);
  });

  it('makes it once for many who ask at once', async () => {
    const path = world.newRepository('put');
    const ask = (): PromiseLike<Reply> => world.alice.api('PUT', repoApi(path), { description: 'x' });
    expect(statusesOf(await Promise.all(Array.from({ length: 6 }, ask)))).toEqual([200, 200, 200, 200, 200, 201]);
  });

  it('takes from who may push what a push would make, and no more', async () => {
    await carol.api('PUT', repoApi('acme/by-carol'), { description: 'Mine' }).expect(201);
    await carol.api('PUT', repoApi('acme/by-carol'), { description: 'Again' }).expect(403);
    await carol.api('PUT', repoApi('acme/open'), { visibility: 'public' }).expect(403);
    await carol.api('PUT', repoApi('acme/sparse'), { sparse: true }).expect(403);
    await world.admin.api('PUT', repoApi('acme/open'), { visibility: 'public' }).expect(201);
  });

  it('is 404 for who may not push, and 422 where there is no such namespace', async () => {
    await world.bob.api('PUT', repoApi('acme/by-bob'), {}).expect(404);
    await dave.api('PUT', repoApi('other/by-dave'), {}).expect(404);
    await world.anonymous.api('PUT', repoApi('acme/by-nobody'), {}).expect(401);
    await world.admin.api('PUT', repoApi('nowhere/app'), {}).expect(422);
  });

  it('lists from then on what an upload alone had made', async () => {
    const path = world.newRepository('put');
    await world.alice.startUpload(path);
    await world.alice.api('PUT', repoApi(path), {}).expect(200);
    expect((await world.alice.catalog()).json<{ repositories: string[] }>().repositories).toContain(path);
  });
});

describe('DELETE /api/v1/repos/{namespace}/{name}', () => {
  it('takes the repository away at once; a push to the path makes a new one without its content', async () => {
    const path = world.newRepository('delete');
    const { digest, layers } = await world.alice.pushImage(path, 'v1');
    await world.alice.api('PATCH', repoApi(path), { visibility: 'public', description: 'old' }).expect(200);
    await world.anonymous.getManifest(path, 'v1').expect(200);
    await world.alice.api('DELETE', repoApi(path)).expect(204);
    await world.alice.getManifest(path, 'v1').expect(404);
    await world.anonymous.getManifest(path, 'v1').expect(401);
    await world.alice.api('GET', repoApi(path)).expect(404);
    await world.alice.api('DELETE', repoApi(path)).expect(404);
    expect((await world.alice.catalog()).json<{ repositories: string[] }>().repositories).not.toContain(path);

    await world.alice.pushImage(path, 'v2');
    expect((await world.alice.api('GET', repoApi(path))).json()).toMatchObject({
      visibility: 'private',
      description: '',
    });
    await world.alice.getManifest(path, 'v1').expect(404);
    await world.alice.getManifest(path, digest).expect(404);
    await world.alice.headBlob(path, layers[0]?.digest ?? '').expect(404);
    expect((await auditOf(world.registry, path)).map(({ action }) => action)).toEqual([
      'repo.create',
      'repo.update',
      'repo.delete',
      'repo.create',
    ]);
  });

  it('ends uploads in progress, for who may make a repository there and for who may not', async () => {
    const path = 'acme/uploading';
    await world.admin.api('PUT', repoApi(path), {}).expect(201);
    const grants = [{ kind: 'user', name: 'bob', role: 'write' }];
    await world.admin.api('PUT', repoApi(path, '/permissions'), { grants }).expect(200);
    const uploads = [await carol.startUpload(path), await world.bob.startUpload(path)];
    for (const upload of uploads) await upload.patch('0-4', 'hello').expect(202);
    await world.admin.api('DELETE', repoApi(path)).expect(204);
    for (const upload of uploads) await upload.patch('5-9', 'world').expect(404);
    await world.admin.api('PUT', repoApi(path), {}).expect(201);
    for (const upload of uploads) await upload.status().expect(404);
  });

  it('is for who manages it', async () => {
    await world.admin.api('PUT', repoApi('acme/kept'), {}).expect(201);
    await carol.api('DELETE', repoApi('acme/kept')).expect(403);
    await world.bob.api('DELETE', repoApi('acme/kept')).expect(404);
    await world.anonymous.api('DELETE', repoApi('acme/kept')).expect(401);
  });

  it('of many at once counts once, and so does a push that races it', async () => {
    const path = world.newRepository('delete');
    await world.alice.api('PUT', repoApi(path), {}).expect(201);
    const remove = (): PromiseLike<Reply> => world.alice.api('DELETE', repoApi(path));
    expect(statusesOf(await Promise.all(Array.from({ length: 4 }, remove)))).toEqual([204, 404, 404, 404]);
    for (let round = 0; round < 5; round++) {
      await world.alice.pushImage(path, 'v1');
      const [removed] = await Promise.all([
        world.alice.api('DELETE', repoApi(path)),
        world.alice.pushImage(path, 'v2').catch(() => null),
      ]);
      removed.expect(204);
      await world.alice.getManifest(path, 'v1').expect(404);
      await world.alice.api('DELETE', repoApi(path)).expect([204, 404]);
    }
  });
});

describe('lists', () => {
  const paths = (reply: Reply): string[] => reply.json<{ items: { path: string }[] }>().items.map(({ path }) => path);
  const key = async (holder: string, repositories: string[] | null, scopes = ['repo:pull']): Promise<RegistryClient> =>
    world.admin.as(holder, await makeKey(world.registry, holder, scopes, repositories), 'basic');

  let erin: RegistryClient;

  beforeAll(async () => {
    erin = await signUp(world.admin, 'erin');
    await makeOrg(world.registry, 'lists');
    await makeTeam(world.registry, 'lists', 'readers', ['erin']);
    for (const name of ['a-public', 'b-granted', 'c/team', 'd_secret', 'dxsecret']) {
      const settings = name === 'a-public' ? { visibility: 'public' } : { description: `The ${name}` };
      await world.admin.api('PUT', repoApi(`lists/${name}`), settings).expect(201);
    }
    const grant = (path: string, entry: object): PromiseLike<Reply> =>
      world.admin.api('PUT', repoApi(path, '/permissions'), { grants: [{ role: 'read', ...entry }] }).expect(200);
    await grant('lists/b-granted', { kind: 'user', name: 'erin' });
    await grant('lists/c/team', { kind: 'team', name: 'readers' });
    await erin.api('PUT', repoApi('erin/own'), {}).expect(201);
  });

  it('show what is public, own or granted, each as it is read alone', async () => {
    const reply = await erin.api('GET', '/api/v1/repos?limit=1000').expect(200);
    const shown = paths(reply).filter((path) => /^(lists|erin)\//.test(path));
    expect(shown).toEqual(['erin/own', 'lists/a-public', 'lists/b-granted', 'lists/c/team']);
    const alone = await erin.api('GET', repoApi('lists/c/team'));
    expect(reply.json<{ items: unknown[] }>().items).toContainEqual(alone.json());
    expect(paths(await world.anonymous.api('GET', '/api/v1/repos/lists'))).toEqual(['lists/a-public']);
    expect(paths(await world.admin.api('GET', '/api/v1/repos/lists'))).toHaveLength(5);
  });

  it('of a namespace have nothing of another, and nothing where there is none', async () => {
    expect(paths(await erin.api('GET', '/api/v1/repos/lists'))).toEqual([
      'lists/a-public',
      'lists/b-granted',
      'lists/c/team',
    ]);
    for (const namespace of ['erin2', 'nowhere', 'No..name', 'erin%2Fown', '%25']) {
      const none = await erin.api('GET', `/api/v1/repos/${namespace}`).expect(200);
      expect(none.json()).toEqual({ items: [], next: null });
    }
    await erin.api('GET', '/api/v1/repos/%zz').expect(400);
  });

  it('are cut into pages that lead on to each other', async () => {
    let next: string | null = '/api/v1/repos/lists?limit=2&q=lists';
    const seen: string[][] = [];
    while (next !== null) {
      const page: Reply = await world.admin.api('GET', next).expect(200);
      seen.push(paths(page));
      next = /^<(.*)>; rel="next"$/.exec(page.header('link') ?? '')?.[1] ?? null;
      expect(next === null).toBe(page.json<{ next: string | null }>().next === null);
    }
    expect(seen.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(seen.flat()).toEqual(seen.flat().toSorted());
  });

  it.each([
    ['d_secret', ['lists/d_secret']],
    ['%', []],
    ['secret', ['lists/d_secret', 'lists/dxsecret']],
    ['LISTS', []],
    ['/c', ['lists/c/team']],
    ['\\', []],
  ])('with q=%s have the paths with that text', async (q, expected) => {
    const reply = await world.admin.api('GET', `/api/v1/repos/lists?q=${encodeURIComponent(q)}`).expect(200);
    expect(paths(reply)).toEqual(expected);
  });

  it.each(['q=' + 'x'.repeat(101), 'limit=0', 'limit=1001', 'cursor=nonsense', 'sort=size', 'page=2'])(
    'refuse ?%s',
    async (text) => {
      await erin.api('GET', `/api/v1/repos?${text}`).expect(400);
      await erin.api('GET', `/api/v1/repos/lists?${text}`).expect(400);
    },
  );

  it('show through a key what it reaches, and nothing through one that may not pull', async () => {
    const within = async (client: RegistryClient): Promise<string[]> => paths(await client.api('GET', '/api/v1/repos'));
    expect(await within(await key('erin', ['lists/c/*', 'erin']))).toEqual(['erin/own', 'lists/c/team']);
    expect(await within(await key('erin', ['lists/d_secret']))).toEqual([]);
    expect(await within(await key('admin', ['lists/dxsecret', 'lists/a-public']))).toEqual([
      'lists/a-public',
      'lists/dxsecret',
    ]);
    expect(await within(await key('erin', null, ['manage']))).toEqual([]);
    const ofNamespace = await (await key('erin', ['lists/c/*', 'erin'])).api('GET', '/api/v1/repos/lists');
    expect(paths(ofNamespace)).toEqual(['lists/c/team']);
  });

  it('are refused to a token for /v2, and to wrong credentials', async () => {
    const authorization = `Bearer ${await erin.token('repository:lists/b-granted:pull')}`;
    await world.anonymous.raw('GET', '/api/v1/repos', { headers: { authorization } }).expect(401);
    await world.admin.as('erin', 'wrong-password-1', 'basic').api('GET', '/api/v1/repos').expect(401);
  });
});

describe('a repository that is called like a route', () => {
  const NAMES = ['permissions', 'aliases', 'rename', 'tags', 'permissions/effective', 'team/permissions', 'a/aliases'];

  it.each(NAMES)('%s is a repository under both spellings, with routes of its own', async (name) => {
    const path = `acme/${name}`;
    await world.admin.api('PUT', repoApi(path), { description: name }).expect(201);
    for (const api of [repoApi, repoApiSpread]) {
      expect((await world.admin.api('GET', api(path)).expect(200)).json()).toMatchObject({ path, description: name });
      await world.admin.api('PATCH', api(path), { description: name }).expect(200);
      await world.admin.api('GET', api(path, '/permissions')).expect(200);
      await world.admin.api('PUT', api(path, '/permissions'), { grants: [] }).expect(200);
      await world.admin.api('GET', api(path, '/permissions/effective')).expect(200);
      await world.admin.api('GET', api(path, '/aliases')).expect(200);
      await world.admin.api('POST', api(path, '/rename'), {}).expect(200);
    }
    await world.admin.api('DELETE', repoApiSpread(path)).expect(204);
    await world.admin.api('GET', repoApi(path)).expect(404);
  });
});
