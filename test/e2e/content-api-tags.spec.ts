import { beforeAll, describe, expect, it } from '@jest/globals';
import { describeDocument, indexOf, pushedImage, putDocument, type Document } from '../conformance/documents.js';
import { useWorld } from '../conformance/world.js';
import type { Reply } from '../support/http-exchange.js';
import { eventually } from '../support/processes.js';
import { expectProblem, type List, pathOf, spellings, TIME } from './content-api.js';
import { query } from './left-behind.js';

const world = useWorld();

type Named = Record<string, unknown> & { readonly name: string };

describe('the tags of a repository', () => {
  const repository = 'alice/team/tags';
  const names = ['1.0', '1.1', '2.0', 'Latest', 'latest', 'nightly'];
  const images = new Map<string, Document>();

  beforeAll(async () => {
    for (const name of [...names].reverse()) images.set(name, await pushedImage(world.alice, repository, name));
  });

  const list = async (parameters = '') =>
    (await world.alice.api('GET', pathOf(repository, `/tags${parameters}`)).expect(200)).json<List<Named>>();

  /** All names, page by page, each page by the `Link` of the one before. */
  const walk = async (parameters: string) => {
    const found: string[] = [];
    for (let path: string | undefined = pathOf(repository, `/tags?${parameters}`); path !== undefined;) {
      const reply: Reply = await world.alice.api('GET', path).expect(200);
      found.push(...reply.json<List<Named>>().items.map(({ name }) => name));
      path = /^<(.*)>; rel="next"$/.exec(reply.header('link') ?? '')?.[1];
    }
    return found;
  };

  it('say what they point to, by whom and when they were pushed', async () => {
    const { items, next } = await list();
    const image = images.get('1.0');
    expect(items[0]).toEqual({
      name: '1.0',
      digest: image?.digest,
      mediaType: image?.mediaType,
      artifactType: null,
      size: image?.bytes.length,
      contentSize: expect.any(Number),
      platforms: expect.any(Array),
      createdAt: TIME,
      pushedAt: TIME,
      pushedBy: 'alice',
      pulledAt: null,
    });
    expect([items.map(({ name }) => name), next]).toEqual([names, null]);
  });

  it.each([
    ['sort=name', names],
    ['sort=-name', [...names].reverse()],
    ['sort=pushedAt', [...names].reverse()],
    ['sort=-pushedAt', names],
  ])('come in the order of %s, on one page and on many', async (sort, expected) => {
    expect(await walk(sort)).toEqual(expected);
    for (const limit of [1, 4, 6]) expect(await walk(`${sort}&limit=${limit}`)).toEqual(expected);
  });

  it('are found by a part of their names', async () => {
    expect(await walk('q=atest')).toEqual(['Latest', 'latest']);
    expect(await walk('q=1.&sort=-pushedAt&limit=1')).toEqual(['1.0', '1.1']);
    expect(await walk('q=%25')).toEqual([]);
  });

  it.each(['limit=0', 'limit=1001', 'sort=size', 'q=a&q=b', 'other=1', 'cursor=nonsense'])('refuse %s', async (bad) => {
    await world.alice.api('GET', pathOf(repository, `/tags?${bad}`)).expect(400);
  });

  it('refuse the cursor of another list, and one that nobody gave', async () => {
    const { next } = await list('?limit=1');
    expectProblem(
      await world.alice.api('GET', pathOf(repository, `/tags?sort=pushedAt&cursor=${next ?? ''}`)).expect(400),
      'MALFORMED_REQUEST',
    );
    for (const position of [
      [1.5, 'a'],
      [-1, 'a'],
      [1e300, 'a'],
      ['a', 'a'],
      [1, 'a\u0000'],
    ]) {
      const cursor = Buffer.from(JSON.stringify(position)).toString('base64url');
      await world.alice.api('GET', pathOf(repository, `/tags?sort=-pushedAt&cursor=${cursor}`)).expect(400);
    }
  });

  it('can be read one by one, under both spellings', async () => {
    // Those of an image are written down some moments after its push: the two reads are to be of one state.
    await eventually('the configs are read', async () =>
      (await list()).items.every(({ platforms }) => Array.isArray(platforms) && platforms.length > 0),
    );
    const [encoded, spread] = spellings(repository, '/tags/latest');
    const reply = await world.alice.api('GET', encoded).expect(200);
    expect(reply.json()).toMatchObject({ name: 'latest', digest: images.get('latest')?.digest });
    expect((await world.alice.api('GET', spread).expect(200)).text).toBe(reply.text);
    for (const missing of ['none', '.none', 'x'.repeat(200)])
      expectProblem(await world.alice.api('GET', pathOf(repository, `/tags/${missing}`)).expect(404), 'NOT_FOUND');
  });

  it('are told to those who may pull; who pushed only to those with a role', async () => {
    expectProblem(await world.bob.api('GET', pathOf(repository, '/tags')).expect(404), 'NOT_FOUND');
    await world.setVisibility(repository, 'public');
    const { items } = (await world.bob.api('GET', pathOf(repository, '/tags')).expect(200)).json<List<Named>>();
    expect(items.map(({ name, pushedBy }) => [name, pushedBy])).toEqual(names.map((name) => [name, null]));
    expectProblem(await world.bob.api('DELETE', pathOf(repository, '/tags/latest')).expect(403), 'DENIED');
    await world.setVisibility(repository, 'private');
  });
});

describe('a tag that moves', () => {
  const repository = 'alice/history';

  it('has a history, also after its delete', async () => {
    const first = await pushedImage(world.alice, repository, 'v1');
    const second = await pushedImage(world.alice, repository, 'v1');
    await world.alice.api('DELETE', pathOf(repository, '/tags/v1')).expect(204);
    await world.alice.getManifest(repository, 'v1').expect(404);
    await world.alice.getManifest(repository, second.digest).expect(200);
    expectProblem(await world.alice.api('DELETE', pathOf(repository, '/tags/v1')).expect(404), 'NOT_FOUND');

    const path = pathOf(repository, '/tags/v1/history');
    const { items, next } = (await world.alice.api('GET', `${path}?limit=2`).expect(200)).json<List<object>>();
    expect(items).toEqual([
      { oldDigest: second.digest, newDigest: null, actor: 'alice', at: TIME },
      { oldDigest: first.digest, newDigest: second.digest, actor: 'alice', at: TIME },
    ]);
    const rest = await world.alice.api('GET', `${path}?limit=2&cursor=${next ?? ''}`).expect(200);
    expect(rest.json()).toEqual({
      items: [{ oldDigest: null, newDigest: first.digest, actor: 'alice', at: TIME }],
      next: null,
    });
    expectProblem(await world.alice.api('GET', pathOf(repository, '/tags/none/history')).expect(404), 'NOT_FOUND');
  });
});

describe('a repository that is called like a route', () => {
  it.each(['alice/tags', 'alice/manifests', 'alice/app/tags', 'alice/app/tags/manifests', 'alice/tags/tags'])(
    '%s has its settings and its tags under both spellings',
    async (repository) => {
      await pushedImage(world.alice, repository, 'v1');
      for (const path of spellings(repository))
        expect((await world.alice.api('GET', path).expect(200)).json()).toMatchObject({ path: repository });
      for (const path of spellings(repository, '/tags'))
        expect((await world.alice.api('GET', path).expect(200)).json()).toMatchObject({ items: [{ name: 'v1' }] });
    },
  );
});

describe('what pushes and deletes leave in the audit log', () => {
  it('is one entry each, under the namespace of the repository', async () => {
    const repository = 'alice/audited';
    const image = await pushedImage(world.alice, repository, 'v1');
    await putDocument(world.alice, repository, image, 'v2', { query: 'tag=v3' }).expect(201);
    await putDocument(world.alice, repository, image, 'v1', { headers: { 'if-none-match': '*' } }).expect(412);
    await world.alice.api('DELETE', pathOf(repository, '/tags/v1')).expect(204);
    await world.alice.request('DELETE', `/v2/${repository}/manifests/${image.digest}`).expect(202);
    const entries = await query(
      world.registry,
      `SELECT a.action, a.resource, a.outcome, a.detail, a.credential IS NOT NULL AS credential, n.name AS namespace
       FROM audit_events a JOIN namespaces n ON n.id = a.namespace_id
       WHERE a.resource LIKE 'repo:alice/audited%' AND a.outcome = 'allowed' AND a.action NOT LIKE 'blob.%'
       ORDER BY a.at`,
    );
    const entry = (action: string, resource: string, detail: object | null) => ({
      action,
      resource: `repo:${repository}${resource}`,
      outcome: 'allowed',
      detail,
      credential: true,
      namespace: 'alice',
    });
    const { digest, mediaType } = image;
    expect(entries).toEqual([
      entry('repo.create', '', { visibility: 'private' }),
      entry('manifest.push', `@${digest}`, { tags: ['v1'], digest, mediaType }),
      entry('manifest.push', `@${digest}`, { tags: ['v2', 'v3'], digest, mediaType }),
      entry('tag.delete', ':v1', null),
      entry('manifest.delete', `@${digest}`, null),
    ]);
  });
});

describe('the platforms of a tag', () => {
  const platforms = async (repository: string, tag: string) =>
    (await world.alice.api('GET', pathOf(repository, `/tags/${tag}`)).expect(200)).json()['platforms'];

  it('of an index are those that it names', async () => {
    const repository = 'alice/index';
    const image = await pushedImage(world.alice, repository);
    const child = (os: string, architecture: string, variant?: string) => ({
      ...describeDocument(image),
      platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
    });
    const index = indexOf([child('linux', 'amd64'), child('linux', 'arm', 'v7'), child('unknown', 'unknown')]);
    await putDocument(world.alice, repository, index, 'v1').expect(201);
    expect(await platforms(repository, 'v1')).toEqual(['linux/amd64', 'linux/arm/v7']);
  });

  it('of an image are what its config says, some moments after the push', async () => {
    await pushedImage(world.alice, 'alice/image', 'v1');
    await eventually('the config is read', async () => {
      const found = await platforms('alice/image', 'v1');
      return Array.isArray(found) && found.length > 0;
    });
    expect(await platforms('alice/image', 'v1')).toEqual(['linux/amd64']);
  });
});
