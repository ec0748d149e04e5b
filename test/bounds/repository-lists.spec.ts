import { beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { EVERY_PATH, pathsIn } from '../../src/registry/repos/path-range.js';
import type { VisibleSet } from '../../src/registry/repos/visible-set.js';
import { visibleStatement } from '../../src/registry/repos/visible-repos.repository.js';
import type { Reply } from '../support/http-exchange.js';
import { onFileEnd } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { GRANTED, REPOSITORIES, seededRegistry, type SeededRegistry } from './seeded-registry.js';

const PAGE = 100;
const BOUND_MS = 50;
/** Other work for the database, and what it takes where lists take at most half the bound; where it is slower, they may be. */
const REFERENCE = 'SELECT sum(i) FROM generate_series(1, 100000) AS i';
const REFERENCE_MS = 8;
/** Of the last page's time to the first one's, beyond what a busy machine adds to both. */
const RATIO = 2;
const SLACK_MS = 2;
const ROUNDS = 31;

const pathOf = (number: number): string => `big/repo-${String(number).padStart(6, '0')}`;
const cursorAfter = (number: number): string => Buffer.from(JSON.stringify([pathOf(number)])).toString('base64url');

let seeded: SeededRegistry;
let client: pg.Client;

beforeAll(async () => {
  seeded = await seededRegistry();
  client = new pg.Client({ connectionString: seeded.registry.databaseUrl ?? '' });
  await client.connect();
  onFileEnd(() => client.end());
}, 120_000);

describe(`among ${REPOSITORIES} repositories`, () => {
  type Who = 'administrator' | 'member' | 'team' | 'few';
  const clientOf = (who: Who): RegistryClient => (who === 'few' ? seeded.few : seeded.all[who]);
  const LISTS = [
    ['GET /api/v1/repos', (after: number) => apiPage('/api/v1/repos', after)],
    ['GET /api/v1/repos/big', (after: number) => apiPage('/api/v1/repos/big', after)],
    ['GET /v2/_catalog', (after: number) => `/v2/_catalog?n=${PAGE}${after === 0 ? '' : `&last=${pathOf(after)}`}`],
  ] as const;
  const EVERYBODY: readonly Who[] = ['administrator', 'member', 'team', 'few'];
  const CASES = LISTS.flatMap(([name, pageOf]) => EVERYBODY.map((who) => [name, who, pageOf] as const));

  it.each(CASES)('%s is a page of %s in time, the last as the first', async (name, who, pageOf) => {
    const lengths = who === 'few' ? [GRANTED, 1] : [PAGE, PAGE];
    const { times, bound } = await medians(clientOf(who), [pageOf(0), pageOf(REPOSITORIES - PAGE)], lengths);
    const [first, last] = times;
    report(`${name} as ${who}: first page ${first.toFixed(1)} ms, last ${last.toFixed(1)} ms`);
    expect(Math.max(first, last)).toBeLessThan(bound);
    expect(last).toBeLessThan(first * RATIO + SLACK_MS);
  });

  it.each(EVERYBODY)('a search by %s that finds nothing is in time too', async (who) => {
    const { times, bound } = await medians(clientOf(who), ['/api/v1/repos?limit=100&q=nothing'], [0]);
    const [nothing] = times;
    report(`GET /api/v1/repos?q=nothing as ${who}: ${nothing.toFixed(1)} ms`);
    expect(nothing).toBeLessThan(bound);
  });

  function apiPage(path: string, after: number): string {
    return `${path}?limit=${PAGE}${after === 0 ? '' : `&cursor=${cursorAfter(after)}`}`;
  }

  function report(line: string): void {
    process.stderr.write(`    ${line}\n`);
  }

  /** Of the requests and the reference in turn, so that what else the machine does is the same for each. */
  async function medians(
    from: RegistryClient,
    urls: readonly string[],
    lengths: readonly number[],
  ): Promise<{ times: [number, number]; bound: number }> {
    const times: number[][] = urls.map(() => []);
    const references: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      references.push(await timeOf(() => client.query(REFERENCE)));
      for (const [at, url] of urls.entries()) {
        const ask = () => (url.startsWith('/api') ? from.api('GET', url) : from.request('GET', url)).expect(200);
        times[at]?.push(
          await timeOf(async () => {
            expect(lengthOf(await ask())).toBe(lengths[at]);
          }),
        );
      }
    }
    const [first = NaN, second = NaN] = times.map(median);
    return { times: [first, second], bound: BOUND_MS * Math.max(1, median(references) / REFERENCE_MS) };
  }
});

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] ?? NaN;
}

function lengthOf(reply: Reply): number {
  const { items, repositories } = reply.json<{ items?: unknown[]; repositories?: unknown[] }>();
  return (items ?? repositories ?? []).length;
}

describe('the plan of a list', () => {
  let views: Record<'administrator' | 'member' | 'team' | 'few', VisibleSet>;

  beforeAll(async () => {
    const one = async (text: string): Promise<number> => Number((await client.query<{ id: string }>(text)).rows[0]?.id);
    const big = await one(`SELECT id FROM namespaces WHERE name = 'big'`);
    const team = await one('SELECT id FROM teams');
    const visibleSetOf = async (username: string): Promise<VisibleSet> => ({
      everything: false,
      namespaceIds: [await one(`SELECT namespace_id AS id FROM users WHERE username = '${username}'`)],
      userId: await one(`SELECT id FROM users WHERE username = '${username}'`),
      robotId: null,
      teamIds: [],
      ranges: [EVERY_PATH],
    });
    const member = await visibleSetOf('member');
    views = {
      administrator: { ...(await visibleSetOf('admin')), everything: true },
      member: { ...member, namespaceIds: [...member.namespaceIds, big] },
      team: { ...(await visibleSetOf('team')), teamIds: [team] },
      few: await visibleSetOf('few'),
    };
  });

  const MODES = ['force_custom_plan', 'force_generic_plan'] as const;
  const WHO = ['administrator', 'member', 'team', 'few'] as const;
  const CASES = MODES.flatMap((mode) => WHO.map((who) => [who, mode] as const));

  it.each(CASES)('for %s reads indexes, no table and no set whole (%s)', async (who, mode) => {
    await client.query(`SET plan_cache_mode = ${mode}`);
    for (const ranges of [views[who].ranges, [pathsIn('big')]]) {
      for (const after of ['', pathOf(REPOSITORIES - PAGE)]) {
        for (const kind of ['paths', 'details'] as const) {
          const { sql, values } = visibleStatement(
            kind,
            { ...views[who], ranges },
            { after, limit: PAGE + 1, containing: null },
          );
          const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
            `EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`,
            values,
          );
          const nodes = nodesOf(rows[0]?.['QUERY PLAN'][0].Plan);
          expect(nodes.length).toBeGreaterThan(3);
          const scans = nodes.filter((node) => TABLES.includes(node['Relation Name'] ?? ''));
          expect(scans.map((node) => node['Node Type']).filter((type) => !INDEX_SCANS.includes(type))).toEqual([]);
          // Two sets of a page each are the most that these people's lists are made of; a loop counts each time.
          for (const node of scans)
            expect(node['Actual Rows'] * node['Actual Loops']).toBeLessThanOrEqual(2 * (PAGE + 1));
          for (const node of scans) expect(node['Rows Removed by Filter'] ?? 0).toBe(0);
        }
      }
    }
  });
});

const TABLES = ['repos', 'repo_grants', 'tags', 'namespaces'];
const INDEX_SCANS = ['Index Scan', 'Index Only Scan'];

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

function nodesOf(node: PlanNode | undefined): PlanNode[] {
  return node === undefined ? [] : [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
