// once: its Redis is its own, and what it deletes are rows
import { beforeAll, describe, expect, it } from '@jest/globals';
import { pushedImage, uniqueName } from '../conformance/documents.js';
import { signUp } from '../conformance/world.js';
import type { Reply } from '../support/http-exchange.js';
import { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { expectProblem } from './content-api.js';
import { query } from './left-behind.js';
import { auditOf, makeKey, repoApi, statusesOf } from './tenants.js';

const orgApi = (name: string): string => `/api/v1/orgs/${name}`;
const userApi = (name: string): string => `/api/v1/users/${name}`;
const forced = (path: string, repositories: number): string => `${path}?force=true&repositories=${repositories}`;

let a: Registry;
let b: Registry;
let alice: RegistryClient;
let bob: RegistryClient;

beforeAll(async () => {
  a = await startRegistry({ redis: true });
  b = await startRegistry({ like: a });
  alice = await signUp(a.client, 'alice');
  bob = await signUp(a.client, 'bob');
}, 120_000);

/** The same person at the other node. */
function onB({ options: { username = '', password = '' } }: RegistryClient): RegistryClient {
  return new RegistryClient({ url: b.url, username, password });
}

/** An organization of alice, in which bob is an admin. */
async function newOrg(): Promise<string> {
  const name = uniqueName('org');
  await alice.api('POST', '/api/v1/orgs', { name }).expect(201);
  await alice.api('POST', `${orgApi(name)}/members`, { username: 'bob', role: 'admin' }).expect(201);
  return name;
}

function detailOf(reply: Reply, code: string): string {
  return String(expectProblem(reply, code)['detail']);
}

const orphans = (): Promise<object[]> =>
  query(
    a,
    `SELECT r.path FROM repos r JOIN namespaces n ON n.id = r.namespace_id
     WHERE n.deleted_at IS NOT NULL AND r.deleted_at IS NULL`,
  );

describe('a user or an organization with repositories', () => {
  it.each([
    ['an organization', async () => ({ owner: alice, name: await newOrg(), api: orgApi })],
    [
      'a user',
      async () => {
        const name = uniqueName('user');
        return { owner: await signUp(a.client, name), name, api: userApi };
      },
    ],
  ])('%s goes only with their number confirmed', async (_, make) => {
    const { owner, name, api } = await make();
    for (const repository of ['app', 'team/lib']) await pushedImage(owner, `${name}/${repository}`, 'v1');
    const plain = await owner.api('DELETE', api(name)).expect(409);
    expect(detailOf(plain, 'CONFLICT')).toContain(`2 repositories, such as ${name}/app`);
    for (const wrong of [0, 1, 3]) {
      const reply = await owner.api('DELETE', forced(api(name), wrong)).expect(409);
      expect(detailOf(reply, 'CONFLICT')).toBe(`it has 2 repositories, not ${wrong}`);
    }
    await owner.getManifest(`${name}/app`, 'v1').expect(200);
    await owner.api('DELETE', repoApi(`${name}/app`)).expect(204);
    expectProblem(await owner.api('DELETE', forced(api(name), 2)).expect(409), 'CONFLICT');
    await owner.api('DELETE', forced(api(name), 1)).expect(204);
    expect(statusesOf([await a.client.api('GET', repoApi(`${name}/team/lib`))])).toEqual([404]);
    expect(await auditOf(a, `${name}/team/lib`)).toMatchObject([{ action: 'repo.create' }, { action: 'repo.delete' }]);
  });

  it('takes force only with a number, and a number only with force', async () => {
    const org = await newOrg();
    await pushedImage(alice, `${org}/app`, 'v1');
    for (const path of [orgApi(org), userApi('alice')]) {
      for (const [rest, sentence] of [
        ['?force=true', 'repositories must say how many repositories are deleted with force'],
        ['?repositories=1', 'force must be true when repositories is given'],
        ['?force=false&repositories=1', 'force must be true when repositories is given'],
      ] as const) {
        expect(detailOf(await alice.api('DELETE', path + rest).expect(400), 'VALIDATION_FAILED')).toBe(sentence);
      }
      for (const rest of [
        'force=yes',
        'force=true&repositories=-1',
        'force=true&repositories=all',
        'force=true&repositories=1&repositories=1',
      ]) {
        expectProblem(await alice.api('DELETE', `${path}?${rest}`).expect(400), 'VALIDATION_FAILED');
      }
      expectProblem(await alice.api('DELETE', `${path}?forced=true`).expect(400), 'UNKNOWN_FIELD');
    }
    await alice.getManifest(`${org}/app`, 'v1').expect(200);
  });

  it('tells the number only to who may delete it', async () => {
    const org = await newOrg();
    await pushedImage(alice, `${org}/app`, 'v1');
    const stranger = await signUp(a.client, uniqueName('stranger'));
    const bearer = {
      authorization: `Bearer ${await makeKey(a, 'alice', ['repo:pull', 'repo:push', 'repo:delete', 'manage'])}`,
    };
    const key = await a.client.anonymous().raw('DELETE', forced(userApi('alice'), 7), { headers: bearer });
    const replies = [
      (await bob.api('DELETE', forced(orgApi(org), 7))).expect(403),
      await stranger.api('DELETE', forced(orgApi(org), 7)),
      (await bob.api('DELETE', forced(userApi('alice'), 7))).expect(404),
      key.expect(403),
    ];
    expect(statusesOf(replies).every((status) => status === 403 || status === 404)).toBe(true);
    for (const reply of replies) expect(reply.body.toString()).not.toMatch(/it has|repositories/);
    await alice.getManifest(`${org}/app`, 'v1').expect(200);
    await a.client.api('DELETE', forced(orgApi(org), 1)).expect(204);
  });

  it('keeps a user who alone owns an organization, with their repositories', async () => {
    const name = uniqueName('user');
    const user = await signUp(a.client, name);
    await pushedImage(user, `${name}/app`, 'v1');
    const org = uniqueName('org');
    await user.api('POST', '/api/v1/orgs', { name: org }).expect(201);
    const reply = await user.api('DELETE', forced(userApi(name), 1)).expect(409);
    expect(detailOf(reply, 'CONFLICT')).toBe(`the last owner of ${org}`);
    await user.getManifest(`${name}/app`, 'v1').expect(200);
    await user.api('DELETE', forced(orgApi(org), 0)).expect(204);
    await user.api('DELETE', forced(userApi(name), 1)).expect(204);
  });
});

describe('the repositories of a namespace that was deleted', () => {
  it('are gone at once for everybody on every node, and stay so for who gets the name', async () => {
    const org = await newOrg();
    const [shown, moved] = [`${org}/shown`, `${org}/moved`];
    const image = await pushedImage(alice, shown, 'v1');
    await pushedImage(alice, moved, 'v1');
    await alice.api('PATCH', repoApi(shown), { visibility: 'public' }).expect(200);
    await alice.api('POST', repoApi(moved, '/rename'), { name: 'present' }).expect(200);
    const grants = [{ kind: 'user', name: 'bob', role: 'write' }];
    await alice.api('PUT', repoApi(shown, '/permissions'), { grants }).expect(200);
    const { location } = await alice.startUpload(shown);
    // Every node remembers them.
    const readers = [alice, bob, a.client, onB(alice), onB(bob), onB(a.client)];
    const open = [a.client.anonymous(), onB(alice).anonymous()];
    for (const one of [...readers, ...open]) await one.getManifest(shown, 'v1').expect(200);
    for (const one of readers) await one.getManifest(moved, 'v1').expect(200);

    await alice.api('DELETE', forced(orgApi(org), 2)).expect(204);
    for (const one of readers) {
      for (const path of [shown, moved, `${org}/present`]) await one.getManifest(path, 'v1').expect(404);
      expectProblem(await one.api('GET', repoApi(shown)).expect(404), 'NOT_FOUND');
      await one.request('HEAD', `/v2/${shown}/blobs/${image.digest}`).expect(404);
    }
    for (const one of open) await one.getManifest(shown, 'v1').expect(401);
    expect((await alice.uploadAt(shown, location).status()).status).toBe(404);
    expect(await query(a, `SELECT FROM repo_grants WHERE path LIKE $1`, [`${org}/%`])).toEqual([]);
    expect(await query(a, `SELECT FROM repo_aliases WHERE path LIKE $1`, [`${org}/%`])).toEqual([]);
    expect((await auditOf(a, `${org}/present`)).at(-1)).toMatchObject({
      action: 'repo.delete',
      detail: { aliases: [moved] },
    });
    const [entry] = await query(a, `SELECT detail FROM audit_events WHERE action = 'org.delete' AND resource = $1`, [
      `org:${org}`,
    ]);
    expect(entry).toEqual({ detail: { repositories: 2 } });

    // The name is a tombstone until it is released; then it is a new namespace.
    expectProblem(await alice.api('POST', '/api/v1/orgs', { name: org }).expect(409), 'NAME_TAKEN');
    expect((await alice.request('POST', `/v2/${shown}/blobs/uploads/`)).status).toBe(404);
    await a.client.api('POST', `/api/v1/namespaces/${org}/release`).expect(204);
    await bob.api('POST', '/api/v1/orgs', { name: org }).expect(201);
    await bob.startUpload(shown);
    await bob.getManifest(shown, image.digest).expect(404);
    await onB(bob).getManifest(shown, 'v1').expect(404);
  }, 60_000);

  it('leave nothing half when somebody pushes, deletes one or deletes all at the same time', async () => {
    for (let round = 0; round < 10; round++) {
      const org = await newOrg();
      for (const name of ['one', 'two']) await pushedImage(alice, `${org}/${name}`, 'v1');
      const other = onB(alice);
      await other.token(`repository:${org}/new:pull,push,delete`);
      const [deleted, again, pushed, single] = await Promise.all([
        alice.api('DELETE', forced(orgApi(org), 2)),
        other.api('DELETE', forced(orgApi(org), 3)),
        other.request('POST', `/v2/${org}/new/blobs/uploads/`),
        round % 2 === 0 ? null : other.api('DELETE', repoApi(`${org}/two`)),
      ]);
      expect([204, 404, 409]).toContain(deleted.status);
      expect([204, 404, 409]).toContain(again.status);
      expect([202, 401, 403, 404]).toContain(pushed.status);
      expect([null, 204, 403, 404]).toContain(single?.status ?? null);
      expect(await orphans()).toEqual([]);
      const isGone = deleted.status === 204 || again.status === 204;
      const rows = await query<{ path: string }>(
        a,
        'SELECT path FROM repos WHERE deleted_at IS NULL AND path LIKE $1 ORDER BY path',
        [`${org}/%`],
      );
      // All or nothing, but for the one that was deleted alone.
      if (isGone) expect(rows).toEqual([]);
      else expect(rows.map(({ path }) => path)).toContain(`${org}/one`);
    }
  }, 120_000);

  it('are 10,000 at most', async () => {
    const org = await newOrg();
    await query(
      a,
      `INSERT INTO repos (namespace_id, name, path, visibility, listed_at)
       SELECT n.id, 'r' || i, n.name || '/r' || i, 'private', now() FROM namespaces n, generate_series(1, 10001) AS i
       WHERE n.name = $1`,
      [org],
    );
    for (const path of [orgApi(org), forced(orgApi(org), 10_001)]) {
      const reply = await alice.api('DELETE', path).expect(409);
      expect(detailOf(reply, 'CONFLICT')).toContain('more than 10000 repositories: delete some first');
    }
    await alice.api('DELETE', repoApi(`${org}/r1`)).expect(204);
    await alice.api('DELETE', forced(orgApi(org), 10_000)).expect(204);
    expect(await orphans()).toEqual([]);
    const [entries] = await query(
      a,
      `SELECT count(*)::int AS count FROM audit_events WHERE action = 'repo.delete' AND resource LIKE $1`,
      [`repo:${org}/%`],
    );
    expect(entries).toEqual({ count: 10_001 });
  }, 60_000);
});
