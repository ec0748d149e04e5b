import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { contentServices, type ContentServices } from '../../../test/support/content-services.js';
import { AuditEvent } from './audit-event.entity.js';
import { type AuditFilter, AuditEventsRepository, pageStatement } from './audit-events.repository.js';
import type { AuditRecord } from './audit-record.js';

const ROWS_PER_MONTH = 30_000;
const NOTHING: AuditFilter = {
  namespaceId: null,
  actor: null,
  action: null,
  resource: null,
  outcome: null,
  since: null,
  until: null,
};

let services: ContentServices;
let events: AuditEventsRepository;
let acme: number;
let alice: string;

beforeAll(async () => {
  services = await contentServices();
  events = new AuditEventsRepository(services.repository(AuditEvent));
  const { database } = services;
  acme = (await events.findOrganization('acme')) ?? 0;
  const [user] = await database.query<{ id: string }>(
    `WITH made AS (INSERT INTO namespaces (name, kind) VALUES ('alice', 'user') RETURNING id)
     INSERT INTO users (namespace_id, username) SELECT id, 'alice' FROM made RETURNING id`,
  );
  alice = `user:${user?.id}`;
  for (const month of ['2026_01', '2026_02', '2026_03']) {
    const start = `${month.replace('_', '-')}-01`;
    await database.query(
      `CREATE TABLE audit_events_${month} PARTITION OF audit_events
       FOR VALUES FROM ('${start} 00:00Z') TO ('${start} 00:00Z'::timestamptz + interval '1 month')`,
    );
    await database.query(SEED, [`${start} 00:00Z`, ROWS_PER_MONTH, acme]);
  }
  await database.query('ANALYZE audit_events');
}, 120_000);

/** A thousand actors and repositories, twenty actions; one in fifty was refused. */
const SEED = `
INSERT INTO audit_events (at, id, actor, action, resource, namespace_id, outcome)
SELECT $1::timestamptz + i * interval '80 seconds', gen_random_uuid(), 'user:' || (1000 + i * 7 % 1000),
  (ARRAY['repo', 'team', 'blob', 'user'])[1 + i % 4] || '.' || (ARRAY['a', 'b', 'c', 'd', 'e'])[1 + i % 5],
  'repo:org' || i % 100 || '/app' || i % 1000, CASE WHEN i % 100 = 7 THEN $3::bigint END,
  CASE WHEN i % 50 = 0 THEN 'denied' ELSE 'allowed' END
FROM generate_series(0, $2::integer - 1) i`;

function record(entry: Partial<AuditRecord>): AuditRecord {
  return {
    at: '2026-03-31T00:00:00.000000Z',
    id: randomUUID(),
    actor: 'anonymous',
    credential: null,
    address: null,
    action: 'blob.push',
    resource: 'repo:acme/app',
    namespaceId: null,
    namespace: null,
    outcome: 'allowed',
    detail: null,
    ...entry,
  };
}

describe('entries of requests', () => {
  it('are written together, and once however often the same ones are sent', async () => {
    const resource = 'repo:acme/once';
    const detail = { reason: 'denied', status: 403 };
    const records = [
      record({ resource, actor: alice, credential: 'password', address: '192.0.2.7', namespaceId: acme }),
      record({ resource, actor: 'user:999999', outcome: 'denied', detail, at: '2026-03-31T00:00:00.000001Z' }),
    ];
    await events.insert(records);
    await events.insert(records);
    const rows = await events.page({ ...NOTHING, resource: { text: resource, isPrefix: false } }, null, 10);
    expect(rows).toEqual([
      expect.objectContaining({ actor: 'user:999999', actorKey: 'user:999999', outcome: 'denied', detail }),
      {
        at: '2026-03-31T00:00:00.000000Z',
        id: records[0]?.id,
        actor: 'alice',
        actorKey: alice,
        credential: 'password',
        address: '192.0.2.7',
        action: 'blob.push',
        resource,
        outcome: 'allowed',
        detail: null,
      },
    ]);
  });

  it('are in the namespace that they name, where there is one', async () => {
    const [known, none] = [record({ namespace: 'acme' }), record({ namespace: 'nobody' })];
    await events.insert([known, none]);
    const rows = await services.database.query<{ id: string; namespace: number | null }>(
      'SELECT id, namespace_id AS namespace FROM audit_events WHERE id = ANY ($1)',
      [[known.id, none.id]],
    );
    expect(Object.fromEntries(rows.map(({ id, namespace }) => [id, namespace]))).toEqual({
      [known.id]: acme,
      [none.id]: null,
    });
  });
});

const FILTERS: [string, () => Partial<AuditFilter>, number][] = [
  ['nothing', () => ({}), 3 * ROWS_PER_MONTH],
  ['an actor', () => ({ actor: 'user:1234' }), 90],
  ['an action', () => ({ action: { text: 'team.b', isPrefix: false } }), 4500],
  ['the beginning of an action', () => ({ action: { text: 'blob.', isPrefix: true } }), 22_500],
  ['a resource', () => ({ resource: { text: 'repo:org17/app517', isPrefix: false } }), 90],
  ['the beginning of a resource', () => ({ resource: { text: 'repo:org17/', isPrefix: true } }), 900],
  ['the outcome "denied"', () => ({ outcome: 'denied' }), 1800],
  ['a namespace', () => ({ namespaceId: acme }), 900],
  ['a namespace and an actor', () => ({ namespaceId: acme, actor: 'user:1749' }), 90],
  ['a time', () => ({ since: '2026-02-01T00:00:00Z', until: '2026-02-01T01:00:00Z' }), 45],
  ['several', () => ({ action: { text: 'repo.a', isPrefix: false }, since: '2026-03-01T00:00:00Z' }), 1500],
];

describe('filters of the audit log', () => {
  it.each(FILTERS)('by %s find every entry once, newest first, page by page', async (_, given, count) => {
    const filter = { ...NOTHING, until: '2026-03-30T00:00:00Z', ...given() }; // what other tests write is later
    const seen: string[] = [];
    let last = null;
    do {
      const page = await events.page(filter, last, 5000);
      seen.push(...page.map(({ at, id }) => `${at} ${id}`));
      last = page.length < 5000 ? null : (page.at(-1) ?? null);
    } while (last);
    expect(seen).toHaveLength(count);
    expect(new Set(seen).size).toBe(count);
    expect(seen.map((one) => one.split(' ')[0])).toEqual(
      seen
        .map((one) => one.split(' ')[0])
        .sort()
        .reverse(),
    );
  });

  it.each(FILTERS)('by %s read an index of each partition', async (_, given) => {
    const after = { at: '2026-02-20T00:00:00Z', id: randomUUID() };
    const { sql, parameters } = pageStatement({ ...NOTHING, ...given() }, after, 100);
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      const plan = await explain(sql, parameters, mode);
      expect(plan).toMatch(/Index/);
      expect(plan.match(/Seq Scan on audit_events_2026\S*/g)).toBeNull();
    }
  });
});

/** As a statement with a name is planned, for its values or for any. */
async function explain(sql: string, parameters: unknown[], mode: string): Promise<string> {
  const runner = services.dataSource.createQueryRunner();
  try {
    await runner.query(`SET plan_cache_mode = ${mode}`);
    await runner.query(`PREPARE page AS ${sql}`);
    const values = parameters.map((value) => (typeof value === 'number' ? value : `'${String(value)}'`)).join(', ');
    const rows = (await runner.query(`EXPLAIN EXECUTE page (${values})`)) as { 'QUERY PLAN': string }[];
    await runner.query('DEALLOCATE page');
    await runner.query('RESET plan_cache_mode');
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  } finally {
    await runner.release();
  }
}
