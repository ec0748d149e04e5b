import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { startPgBouncer } from '../support/pgbouncer.js';
import { end, eventually, start } from '../support/processes.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { query } from './left-behind.js';

jest.setTimeout(180_000);

const PROGRAM = path.join(import.meta.dirname, '../support/job-node.mjs');
const JOBS = '/api/v1/admin/jobs';
/** 30 s, on a machine that has much else to do. */
const TAKE_OVER_MS = 60_000;

interface Job {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly progress: object | null;
  readonly problem: string | null;
}

let registry: Registry;
const workers: ChildProcess[] = [];

beforeAll(async () => {
  registry = await startRegistry({ env: { METRICS_LISTEN_ADDRESS: '127.0.0.1:0' } });
  for (const table of ['begun', 'effects'])
    await query(
      registry,
      `CREATE TABLE ${table} (job uuid, attempt integer, pid integer, at timestamptz DEFAULT now())`,
    );
  await query(registry, 'CREATE TABLE gate ()');
});

beforeEach(async () => {
  await query(registry, 'TRUNCATE begun, effects, gate');
  await query(registry, `DELETE FROM job WHERE name = 'test.effect'`);
});

/** Else one of the test before would take the job. */
afterEach(async () => {
  await Promise.all(workers.splice(0).map((child) => end(child, 'SIGKILL')));
});

/** A process that works on jobs of the kind `test.effect`. */
function worker(env: Record<string, string> = {}): ChildProcess & { pid: number } {
  const child = start(process.execPath, [PROGRAM], {
    env: { ...process.env, ...registry.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  workers.push(child);
  return child;
}

const begun = (): Promise<{ pid: number; attempt: number }[]> =>
  query(registry, 'SELECT pid, attempt FROM begun ORDER BY at');
const effects = (): Promise<{ pid: number; attempt: number }[]> => query(registry, 'SELECT pid, attempt FROM effects');
const openGate = (): Promise<object[]> => query(registry, 'INSERT INTO gate DEFAULT VALUES');

/** As some node has counted it within the last seconds. */
async function hasMetric(line: string): Promise<boolean> {
  const { url } = registry.events().find(({ event }) => event === 'metrics') as { url: string };
  return (await (await fetch(url)).text()).includes(`\n${line}\n`);
}

async function onlyJob(): Promise<Job> {
  const { items } = (await registry.client.api('GET', `${JOBS}?type=test.effect`).expect(200)).json<{ items: Job[] }>();
  expect(items).toHaveLength(1);
  return items[0] as Job;
}

/** Nothing is held for a process that is gone. */
async function expectNoLocks(): Promise<void> {
  const held = `SELECT locktype, mode FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
      AND (l.locktype = 'advisory' OR l.relation IN ('job'::regclass, 'job_common'::regclass))`;
  await eventually('no lock', async () => (await query(registry, held)).length === 0);
  expect(await query(registry, `SELECT id FROM job WHERE state = 'active'`)).toEqual([]);
}

describe('a job', () => {
  it('whose node is killed in the middle is done once by another, and seen all the time', async () => {
    const first = worker({ ENQUEUE: '1' });
    await eventually('it has begun', async () => (await begun()).length === 1);
    await eventually('it tells how far it is', async () => (await onlyJob()).progress !== null);
    expect(await onlyJob()).toMatchObject({ state: 'running', attempts: 1, progress: { done: 1, total: 2 } });
    await eventually('the metric', () => hasMetric('aerugo_jobs{type="test.effect",state="running"} 1'));
    const second = worker();
    await end(first, 'SIGKILL');
    expect(await onlyJob()).toMatchObject({ state: 'running' });
    await eventually('another has taken it over', async () => (await begun()).length === 2, TAKE_OVER_MS);
    await openGate();
    await eventually('it is done', async () => (await onlyJob()).state === 'done');
    expect(await effects()).toEqual([{ pid: second.pid, attempt: 2 }]);
    expect(await onlyJob()).toMatchObject({ attempts: 2, problem: null });
    await expectNoLocks();
  });

  it('whose node stood still has no second effect when that goes on', async () => {
    const first = worker({ ENQUEUE: '1' });
    await eventually('it has begun', async () => (await begun()).length === 1);
    first.kill('SIGSTOP');
    const second = worker();
    await eventually('another has taken it over', async () => (await begun()).length === 2, TAKE_OVER_MS);
    await openGate();
    await eventually('it is done', async () => (await onlyJob()).state === 'done');
    first.kill('SIGCONT');
    await end(first);
    expect(await effects()).toEqual([{ pid: second.pid, attempt: 2 }]);
    await expectNoLocks();
  });

  it('is cancelled by an administrator while it runs, and has no effect', async () => {
    const first = worker({ ENQUEUE: '1' });
    await eventually('it has begun', async () => (await begun()).length === 1);
    const { id } = await onlyJob();
    await registry.client.api('DELETE', `${JOBS}/${id}`).expect(204);
    await openGate();
    expect(await onlyJob()).toMatchObject({ state: 'cancelled' });
    await registry.client.api('DELETE', `${JOBS}/${id}`).expect(409);
    await end(first);
    expect(await effects()).toEqual([]);
    const entries = async (): Promise<string[]> => {
      const page = await registry.client.api('GET', '/api/v1/audit?action=job.cancel').expect(200);
      return page.json<{ items: { outcome: string }[] }>().items.map(({ outcome }) => outcome);
    };
    await eventually('it is in the audit log', async () => (await entries()).includes('allowed'));
  });

  it('goes through a pooler in transaction mode', async () => {
    const pooler = await startPgBouncer(String(registry.databaseUrl), 2);
    await openGate();
    const first = worker({ ENQUEUE: '1', DATABASE_URL: pooler.through(String(registry.databaseUrl)) });
    await eventually('it has had its effect', async () => (await effects()).length === 1);
    expect(await effects()).toEqual([{ pid: first.pid, attempt: 1 }]);
    await eventually('it is done', async () => (await onlyJob()).state === 'done');
  });
});
