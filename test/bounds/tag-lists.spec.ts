import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Repository } from 'typeorm';
import {
  type TagPosition,
  type TagSort,
  TagListsRepository,
} from '../../src/registry/manifests/tags/tag-lists.repository.js';
import type { Tag } from '../../src/registry/manifests/tags/tag.entity.js';
import { useWorld } from '../conformance/world.js';
import { query } from '../e2e/left-behind.js';

const TAGS = 1_000_000;
const REPOSITORIES = 100_000;
/** In the one repository that is looked at. */
const MANY = 10_000;
const PAGE = 100;
const BOUND_MS = 50;
const ROUNDS = 31;

const world = useWorld();
let repoId: number;

const pad = (number: number) => String(number).padStart(6, '0');
/** `pushed_at` of the tag `t<number>` in microseconds: the later the name, the earlier. */
const BEGIN_SECONDS = 1_750_000_000;
const positionAt = (number: number): TagPosition => ({
  name: `t${pad(number)}`,
  pushedAtMicros: (BEGIN_SECONDS - number) * 1_000_000,
});

// As a superuser may: without looking at each foreign key, which takes longer than everything else.
const SEED = `
SET session_replication_role = replica;
SET synchronous_commit = off;
INSERT INTO repos (namespace_id, name, path, visibility, listed_at)
SELECT n.id, 'r' || i, 'bob/r' || i, 'private', now() FROM namespaces n, generate_series(1, ${REPOSITORIES}) i
WHERE n.name = 'bob';
INSERT INTO repos (namespace_id, name, path, visibility, listed_at)
SELECT n.id, 'many', 'alice/many', 'private', now() FROM namespaces n WHERE n.name = 'alice';
INSERT INTO manifests (repo_id, digest, media_type, size, bytes, content_size, platforms, pushed_by, pushed_at)
SELECT r.id, '\\x12'::bytea || sha256(convert_to(r.id || ' ' || i, 'UTF8')), 'application/vnd.oci.image.manifest.v1+json',
  500, convert_to(repeat('x', 500), 'UTF8'), 1000000, '{linux/amd64}', 'user:' || u.id,
  to_timestamp(${BEGIN_SECONDS} - i)
FROM repos r, users u, generate_series(1, CASE r.path WHEN 'alice/many' THEN ${MANY} ELSE 1 END) i
WHERE u.username = 'alice';
INSERT INTO tags (repo_id, name, digest, pushed_by, created_at, updated_at)
SELECT r.id, 't' || lpad(i::text, 6, '0'), '\\x12'::bytea || sha256(convert_to(r.id || ' ' || m, 'UTF8')), 'user:' || u.id,
  now(), to_timestamp(${BEGIN_SECONDS} - i)
FROM repos r
CROSS JOIN LATERAL generate_series(1, CASE r.path WHEN 'alice/many' THEN ${MANY} ELSE ${(TAGS - MANY) / REPOSITORIES} END) i
CROSS JOIN LATERAL (SELECT CASE r.path WHEN 'alice/many' THEN i ELSE 1 END AS m) one
CROSS JOIN users u WHERE u.username = 'alice';
ANALYZE`;

beforeAll(async () => {
  await query(world.registry, SEED);
  const [repo] = await query<{ id: string }>(world.registry, `SELECT id FROM repos WHERE path = 'alice/many'`);
  repoId = Number(repo?.id);
}, 300_000);

/** The first position, and the one before the last page, of each order. */
const ORDERS: readonly [TagSort, lastPage: TagPosition, values: (at: TagPosition) => unknown[]][] = [
  ['name', positionAt(MANY - PAGE), ({ name }) => [name]],
  ['-name', positionAt(PAGE + 1), ({ name }) => [name]],
  ['pushedAt', positionAt(PAGE + 1), ({ pushedAtMicros, name }) => [pushedAtMicros, name]],
  ['-pushedAt', positionAt(MANY - PAGE), ({ pushedAtMicros, name }) => [pushedAtMicros, name]],
];

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly Plan[];
}

/** Such as `Index Scan tags`. The accounts, whose names are looked up one by one, are too few here for an index. */
const nodesOf = (plan: Plan): string[] => {
  const relation = plan['Relation Name'] ?? '';
  const own = ['users', 'robots'].includes(relation) ? [] : [`${plan['Node Type']} ${relation}`];
  return [...own, ...(plan.Plans ?? []).flatMap(nodesOf)];
};

/** The plan of the statement that the list sends. */
async function planOf(sort: TagSort, part: string, after: TagPosition | null): Promise<string[]> {
  let sent: [string, unknown[]] = ['', []];
  const manager = {
    query: (...statement: [string, unknown[]]) => {
      sent = statement;
      return Promise.resolve([]);
    },
  };
  const lists = new TagListsRepository({ manager } as unknown as Repository<Tag>);
  await lists.list({ repoId, sort, part, after, limit: PAGE + 1 });
  const [row] = await query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
    world.registry,
    `EXPLAIN (FORMAT JSON) ${sent[0]}`,
    sent[1],
  );
  return row ? nodesOf(row['QUERY PLAN'][0].Plan) : [];
}

const median = (times: number[]) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Infinity;

describe(`with ${TAGS} tags in ${REPOSITORIES} repositories and ${MANY} in one, its list`, () => {
  const read = async (parameters: string, list = 'tags') => {
    const started = performance.now();
    const path = `/api/v1/repos/alice/many/${list}?limit=${PAGE}&${parameters}`;
    const reply = await world.alice.api('GET', path).expect(200);
    const time = performance.now() - started;
    const { items, next } = reply.json<{ items: { name: string }[]; next: string | null }>();
    expect(items).toHaveLength(PAGE);
    return { time, next };
  };

  it.each(ORDERS)('by %s walks an index, on the first page and on the last', async (sort, lastPage) => {
    for (const [part, after] of [
      ['', null],
      ['', lastPage],
      ['99', null],
    ] as const) {
      const nodes = await planOf(sort, part, after);
      expect(nodes).toEqual(expect.arrayContaining(['Index Scan tags', 'Index Scan manifests']));
      expect(nodes.filter((node) => /Seq Scan|Sort|Hash/.test(node))).toEqual([]);
    }
  });

  it.each(ORDERS)(`by %s answers each page of ${PAGE} within ${BOUND_MS} ms`, async (sort, lastPage, values) => {
    const cursor = Buffer.from(JSON.stringify(values(lastPage))).toString('base64url');
    const [first, last]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      const begin = await read(`sort=${sort}`);
      expect(begin.next).not.toBeNull();
      first.push(begin.time);
      const end = await read(`sort=${sort}&cursor=${cursor}`);
      expect(end.next).toBeNull();
      last.push(end.time);
    }
    const [firstMs, lastMs] = [median(first), median(last)];
    process.stderr.write(`  ${sort}: first page ${firstMs.toFixed(1)} ms, last ${lastMs.toFixed(1)} ms (medians)\n`);
    expect(firstMs).toBeLessThan(BOUND_MS);
    expect(lastMs).toBeLessThan(BOUND_MS);
    expect(lastMs).toBeLessThanOrEqual(2 * firstMs);
  });

  it(`of manifests answers each page of ${PAGE} within ${BOUND_MS} ms`, async () => {
    const position = [(BEGIN_SECONDS - (MANY - PAGE)) * 1_000_000, `sha256:${'0'.repeat(64)}`];
    const cursor = Buffer.from(JSON.stringify(position)).toString('base64url');
    const [first, last]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      first.push((await read('', 'manifests')).time);
      last.push((await read(`cursor=${cursor}`, 'manifests')).time);
    }
    expect(median(first)).toBeLessThan(BOUND_MS);
    expect(median(last)).toBeLessThanOrEqual(2 * median(first));
  });

  it(`by a part of the name answers within ${BOUND_MS} ms, also when nothing has it`, async () => {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const started = performance.now();
      const path = `/api/v1/repos/alice/many/tags?limit=${PAGE}&q=nothing&sort=${round % 2 ? 'name' : '-pushedAt'}`;
      expect((await world.alice.api('GET', path).expect(200)).json()).toEqual({ items: [], next: null });
      times.push(performance.now() - started);
    }
    expect(median(times)).toBeLessThan(BOUND_MS);
  });
});
