import { beforeAll, describe, expect, it } from '@jest/globals';
import { describeDocument, indexOf, pushedImage, putDocument, uniqueName } from '../conformance/documents.js';
import { useWorld } from '../conformance/world.js';
import { eventually } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { startRegistry } from '../support/registry.js';
import { expectProblem, pathOf } from './content-api.js';
import { query } from './left-behind.js';

const PATH = '/api/v1/deletions';
const NOWHERE = `sha256:${'0'.repeat(64)}`;

interface Item {
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}
interface Result extends Item {
  readonly status: number;
  readonly code: string | null;
  readonly detail?: string;
}

const world = useWorld();

type Caller = Pick<RegistryClient, 'api'>;

async function deleteAll(client: Caller, items: readonly Item[]): Promise<Result[]> {
  return (await client.api('POST', PATH, { items }).expect(200)).json<{ items: Result[] }>().items;
}

const statusesOf = (results: readonly Result[]) => results.map(({ status }) => status);

/** What the DELETE of this one thing answers. */
async function single(client: Caller, { repository, tag, digest }: Item): Promise<Partial<Result>> {
  const rest = tag !== undefined ? `/tags/${tag}` : digest !== undefined ? `/manifests/${digest}` : '';
  const reply = await client.api('DELETE', pathOf(repository, rest));
  if (reply.status === 204) return { status: 204, code: null };
  const { status, code, detail } = reply.json<Result>();
  return { status, code, ...(detail === undefined ? {} : { detail }) };
}

describe('many deletions in one request', () => {
  it('delete repositories, tags and manifests, and answer for each in its order', async () => {
    const [kept, gone] = [world.newRepository('kept'), world.newRepository('gone')];
    const image = await pushedImage(world.alice, kept, 'v1');
    const other = await pushedImage(world.alice, kept, 'v2');
    await pushedImage(world.alice, gone, 'latest');
    const items = [{ repository: kept, tag: 'v1' }, { repository: kept, digest: other.digest }, { repository: gone }];
    expect(await deleteAll(world.alice, items)).toEqual(items.map((item) => ({ ...item, status: 204, code: null })));
    await world.alice.getManifest(kept, 'v1').expect(404);
    await world.alice.getManifest(kept, image.digest).expect(200);
    await world.alice.getManifest(kept, 'v2').expect(404);
    await world.alice.getManifest(kept, other.digest).expect(404);
    await world.alice.getManifest(gone, 'latest').expect(404);
    // Once more: there is nothing left to delete.
    expect(statusesOf(await deleteAll(world.alice, items))).toEqual([404, 404, 404]);
  });

  it('take each other into account: an index first, then what it names', async () => {
    const repository = world.newRepository('index');
    const child = await pushedImage(world.alice, repository, 'child');
    const index = indexOf([describeDocument(child)]);
    await putDocument(world.alice, repository, index, 'all').expect(201);
    const [early] = await deleteAll(world.alice, [{ repository, digest: child.digest }]);
    expect(early).toMatchObject({ status: 409, code: 'CONFLICT', detail: expect.stringContaining(index.digest) });
    const both = [index.digest, child.digest].map((digest) => ({ repository, digest }));
    expect(statusesOf(await deleteAll(world.alice, both))).toEqual([204, 204]);
  });

  it('delete a tag with a digest only while it points there', async () => {
    const repository = world.newRepository('swap');
    const old = await pushedImage(world.alice, repository, 'latest');
    const fresh = await pushedImage(world.alice, repository, 'latest');
    const ask = (tag: string, digest: string) => deleteAll(world.alice, [{ repository, tag, digest }]);
    expect(await ask('latest', old.digest)).toMatchObject([{ status: 412, code: 'PRECONDITION_FAILED' }]);
    await world.alice.getManifest(repository, 'latest').expect(200);
    expect(await ask('latest', fresh.digest)).toMatchObject([{ status: 204, code: null }]);
    await world.alice.getManifest(repository, 'latest').expect(404);
    expect(await ask('latest', fresh.digest)).toMatchObject([{ status: 404, code: 'NOT_FOUND' }]);
  });

  it('refuse as a whole what is no list of 1 to 1,000 items, and nobody’s wish', async () => {
    const item = { repository: 'alice/nothing' };
    for (const items of [[], Array.from({ length: 1_001 }, () => item), [{ ...item, tag: 7 }], [{}], 'all']) {
      expectProblem(await world.alice.api('POST', PATH, { items }).expect(400), 'VALIDATION_FAILED');
    }
    expectProblem(
      await world.alice.api('POST', PATH, { items: [{ ...item, all: true }] }).expect(400),
      'UNKNOWN_FIELD',
    );
    expectProblem(await world.anonymous.api('POST', PATH, { items: [item] }).expect(401), 'UNAUTHORIZED');
    const repository = `alice/${'n'.repeat(200)}`;
    const thousand = Array.from({ length: 1_000 }, () => ({ repository, tag: 'a', digest: NOWHERE }));
    expect(statusesOf(await deleteAll(world.alice, thousand))).toEqual(thousand.map(() => 404));
  }, 60_000);
});

describe('each of many deletions', () => {
  let items: Item[];
  let reader: Caller;

  beforeAll(async () => {
    const [hidden, shown, moved] = [
      world.newRepository('hidden'),
      world.newRepository('shown'),
      world.newRepository('moved'),
    ];
    const image = await pushedImage(world.alice, hidden, 'v1');
    await pushedImage(world.alice, shown, 'v1');
    await pushedImage(world.alice, moved, 'v1');
    await world.setVisibility(shown, 'public');
    const name = uniqueName('elsewhere');
    await world.alice.api('POST', pathOf(moved, '/rename'), { name }).expect(200);
    const key = { name: uniqueName('key'), scopes: ['repo:pull', 'repo:push'] };
    const made = await world.alice.api('POST', '/api/v1/auth/keys', key).expect(201);
    const authorization = `Bearer ${made.json<{ key: string }>().key}`;
    reader = {
      api: (method, path, body) =>
        world.anonymous.raw(method, path, {
          headers: { authorization, 'content-type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
    };
    items = [
      ...[hidden, shown, moved, 'alice/nothing', 'nobody/nothing'].flatMap((repository) => [
        { repository },
        { repository, tag: 'none' },
        { repository, digest: NOWHERE },
      ]),
      { repository: hidden, tag: '-no-tag-' },
      { repository: hidden, digest: 'sha256:short' },
      { repository: 'alice/Upper' },
      { repository: shown, tag: 'v1' },
      { repository: hidden, digest: image.digest },
    ];
  });

  // Whoever may delete comes last, since then it is gone.
  it.each([
    ['a stranger', () => world.bob],
    ['a key that may not delete', () => reader],
  ])('is answered to %s as its own DELETE is', async (_, whose) => {
    const answers = [];
    for (const item of items) answers.push({ ...item, ...(await single(whose(), item)) });
    expect(await deleteAll(whose(), items)).toEqual(answers);
    expect(new Set(answers.map(({ status }) => status))).toContain(404);
    expect(answers.map(({ status }) => status)).not.toContain(204);
  });

  it('is answered to the owner as its own DELETE is, of the same things in another repository', async () => {
    const make = async () => {
      const [one, two] = [world.newRepository('twin'), world.newRepository('twin')];
      const image = await pushedImage(world.alice, one, 'v1');
      await pushedImage(world.alice, two, 'v1');
      return [
        { repository: one, tag: 'v1' },
        { repository: one, tag: 'v1' },
        { repository: one, digest: image.digest },
        { repository: one, digest: image.digest },
        { repository: two },
        { repository: two },
        { repository: two, tag: 'v1' },
      ];
    };
    const alone = [];
    for (const item of await make()) alone.push(await single(world.alice, item));
    const together = await deleteAll(world.alice, await make());
    expect(together.map(({ status, code }) => ({ status, code }))).toEqual(
      alone.map(({ status, code }) => ({ status, code })),
    );
  });

  it('is in the audit log as its own DELETE is', async () => {
    const entries = async (repository: string, count: number) => {
      const read = () =>
        query<{ entry: string }>(
          world.registry,
          `SELECT concat_ws(' ', actor, credential, action, replace(resource, '${repository}', 'R'), outcome,
             detail ->> 'reason', detail ->> 'status') AS entry
           FROM audit_events WHERE resource ~ '^repo:${repository}($|[:@])' AND action ~ 'delete$' ORDER BY at, entry`,
        );
      await eventually('its entries', async () => (await read()).length >= count);
      return (await read()).map(({ entry }) => entry);
    };
    const make = async () => {
      const repository = world.newRepository('audited');
      const { digest } = await pushedImage(world.alice, repository, 'v1');
      const wishes = (client: RegistryClient): [RegistryClient, Item][] =>
        [{ repository, tag: 'v1' }, { repository, tag: 'v1' }, { repository, digest }, { repository }].map((item) => [
          client,
          item,
        ]);
      return { repository, digest, wishes: [...wishes(world.bob), ...wishes(world.alice)] };
    };
    const [alone, together] = [await make(), await make()];
    for (const [client, item] of alone.wishes) await single(client, item);
    await deleteAll(
      world.bob,
      together.wishes.filter(([client]) => client === world.bob).map(([, item]) => item),
    );
    await deleteAll(
      world.alice,
      together.wishes.filter(([client]) => client === world.alice).map(([, item]) => item),
    );
    const plain = (texts: readonly string[], digest: string) =>
      texts.map((text) => text.replaceAll(digest, 'D')).sort();
    const expected = plain(await entries(alone.repository, 8), alone.digest);
    expect(expected).toHaveLength(8);
    expect(plain(await entries(together.repository, 8), together.digest)).toEqual(expected);
  });

  it('counts as a request for the rate limit', async () => {
    const limited = await startRegistry({ like: world.registry, env: { RATE_LIMIT_USER: '10' } });
    const bob = limited.client.as(world.bob.options.username ?? '', world.bob.options.password ?? '');
    const results = await deleteAll(
      bob,
      Array.from({ length: 25 }, () => ({ repository: 'alice/nothing' })),
    );
    expect(results.slice(0, 10).map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 404));
    expect(results.slice(10)).toEqual(
      Array.from({ length: 15 }, () => expect.objectContaining({ status: 429, code: 'RATE_LIMITED' })),
    );
    await bob.api('GET', '/api/v1/repos').expect(429);
    bob.close();
  }, 60_000);
});

describe('a client that leaves in the middle of many deletions', () => {
  it('ends them, and what is gone by then is in the audit log', async () => {
    const repository = world.newRepository('left');
    await pushedImage(world.alice, repository, 'first');
    const tags = Array.from({ length: 900 }, (_, at) => `t${at}`);
    const [row] = await query<{ id: number }>(world.registry, `SELECT id FROM repos WHERE path = '${repository}'`);
    await query(
      world.registry,
      `INSERT INTO tags (repo_id, name, digest, pushed_by) SELECT t.repo_id, n.name, t.digest, t.pushed_by
       FROM tags t, unnest(ARRAY['${tags.join("','")}']) AS n(name) WHERE t.repo_id = ${row?.id ?? 0}`,
    );
    const count = async (): Promise<number> =>
      (await query(world.registry, `SELECT FROM tags WHERE repo_id = ${row?.id ?? 0}`)).length;
    const leave = new AbortController();
    const { username = '', password = '' } = world.alice.options;
    const call = fetch(`${world.registry.url}${PATH}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      },
      body: JSON.stringify({ items: tags.map((tag) => ({ repository, tag })) }),
      signal: leave.signal,
    }).catch(() => null);
    await eventually('it has begun', async () => (await count()) < 900);
    leave.abort();
    expect(await call).toBe(null);
    let before = -1;
    await eventually(
      'it has ended',
      async () => {
        const now = await count();
        const isSame = now === before;
        before = now;
        return isSame;
      },
      30_000,
      300,
    );
    expect(before).toBeGreaterThan(1);
    const entries = await query(
      world.registry,
      `SELECT FROM audit_events WHERE action = 'tag.delete' AND resource LIKE 'repo:${repository}:%'`,
    );
    expect(entries).toHaveLength(901 - before);
  }, 60_000);
});
