import { describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { eventually, onFileEnd } from '../support/processes.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { query } from './left-behind.js';

jest.setTimeout(240_000);

/** A node looks every 30 to 60 s whether it is time. */
const DUE_MS = 90_000;
const TAKE_OVER_MS = 90_000;

interface Job {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
}

async function jobs(node: Registry, type: string): Promise<Job[]> {
  return (await node.client.api('GET', `/api/v1/admin/jobs?type=${type}`).expect(200)).json<{ items: Job[] }>().items;
}

/** What works on the table waits until the lock is released. */
async function lock(node: Registry, table: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: String(node.databaseUrl) });
  await client.connect();
  onFileEnd(() => client.end().catch(() => undefined));
  await client.query('BEGIN');
  await client.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  return () => client.end();
}

async function runs(node: Registry, type: string, patienceMs: number): Promise<void> {
  const text = `SELECT FROM job WHERE name = $1 AND state = 'active'`;
  await eventually('it runs', async () => (await query(node, text, [type])).length > 0, patienceMs);
}

/** Kills the node in the middle of the job; another one comes and finds the way free. */
async function killed(node: Registry, release: () => Promise<void>): Promise<Registry> {
  await node.kill();
  await release();
  return startRegistry({ like: node });
}

async function expectDoneOnce(node: Registry, type: string): Promise<void> {
  await eventually('it is done', async () => (await jobs(node, type))[0]?.state === 'done', TAKE_OVER_MS);
  expect(await jobs(node, type)).toMatchObject([{ state: 'done', attempts: 2 }]);
  expect(await query(node, `SELECT FROM job WHERE state = 'active'`)).toEqual([]);
}

describe('a node that is killed in the middle', () => {
  it('of the comparison with the store leaves it to another, and no lease', async () => {
    const first = await startRegistry();
    await first.client.pushImage('admin/app', '1.0');
    const release = await lock(first, 'blobs');
    await query(first, 'UPDATE installation SET reconcile_due = now()');
    await runs(first, 'store.reconcile', DUE_MS);
    const second = await killed(first, release);
    await expectDoneOnce(second, 'store.reconcile');
    expect(second.events().filter(({ event }) => event === 'reconciled')).toHaveLength(1);
    const lease = `SELECT reconciler, reconcile_due > now() AS "isLater" FROM installation`;
    expect(await query(second, lease)).toEqual([{ reconciler: null, isLater: true }]);
  });

  it('of the months of the audit log leaves them to another, also with several workers', async () => {
    const first = await startRegistry({ env: { WORKERS: '2' } });
    const months = `SELECT inhrelid::regclass::text AS name FROM pg_inherits
      WHERE inhparent = 'audit_events'::regclass AND inhrelid <> 'audit_events_default'::regclass ORDER BY 1`;
    const before = await query<{ name: string }>(first, months);
    const type = 'audit.partitions';
    const queue = 'SELECT FROM queue WHERE name = $1';
    await eventually('the queue', async () => (await query(first, queue, [type])).length > 0);
    await query(first, `DROP TABLE ${before.at(-1)?.name ?? ''}`);
    const release = await lock(first, 'audit_events');
    // As the schedule does it at its time.
    await query(
      first,
      `INSERT INTO job (name, policy, retry_limit, heartbeat_seconds) VALUES ($1, 'exclusive', 9, 10)`,
      [type],
    );
    await runs(first, type, DUE_MS);
    const second = await killed(first, release);
    await expectDoneOnce(second, type);
    expect(await query(second, months)).toEqual(before);
  });
});
