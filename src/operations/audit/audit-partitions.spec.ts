import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { contentServices, type ContentServices } from '../../../test/support/content-services.js';
import { AppConfig } from '../../config/config.js';
import { AuditPartitions } from './audit-partitions.js';

let services: ContentServices;
let kept: AuditPartitions;

beforeAll(async () => {
  services = await contentServices();
}, 60_000);

beforeEach(async () => {
  for (const name of await months()) await services.database.query(`DROP TABLE ${name}`);
  await services.database.query('TRUNCATE audit_events');
  kept = partitions(0);
});

function partitions(auditMonths: number): AuditPartitions {
  const config = Object.assign(Object.create(AppConfig.prototype), { security: { auditMonths } }) as AppConfig;
  return new AuditPartitions(services.unitOfWork, config);
}

async function months(): Promise<string[]> {
  const rows = await services.database.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relname ~ '^audit_events_\\d' ORDER BY relname`,
  );
  return rows.map(({ name }) => name);
}

async function write(at: string, action = 'repo.update'): Promise<void> {
  await services.database.query(
    `INSERT INTO audit_events (at, id, actor, action, resource, outcome)
     VALUES ($1, gen_random_uuid(), 'user:1', $2, 'repo:acme/app', 'allowed')`,
    [at, action],
  );
}

/** Where each row is, by its time. */
async function places(): Promise<Record<string, string>> {
  const rows = await services.database.query<{ at: Date; place: string }>(
    'SELECT at, tableoid::regclass::text AS place FROM audit_events ORDER BY at',
  );
  return Object.fromEntries(rows.map(({ at, place }) => [at.toISOString().slice(0, 10), place]));
}

const at = (day: string): Date => new Date(`${day}T12:00:00Z`);

describe('partitions of the audit log', () => {
  it('are there for this month and the next two, over the end of a year', async () => {
    await kept.ensure(at('2026-11-25'));
    expect(await months()).toEqual(['audit_events_2026_11', 'audit_events_2026_12', 'audit_events_2027_01']);
    await kept.ensure(at('2026-12-01'));
    expect((await months()).at(-1)).toBe('audit_events_2027_02');
  });

  it('take the rows of their month in UTC, its first and its last moment', async () => {
    await kept.ensure(at('2026-11-25'));
    await write('2026-11-30T23:59:59.999999Z');
    await write('2026-12-01T00:00:00Z');
    await write('2025-01-01T00:00:00Z');
    expect(await places()).toEqual({
      '2025-01-01': 'audit_events_default',
      '2026-11-30': 'audit_events_2026_11',
      '2026-12-01': 'audit_events_2026_12',
    });
  });

  it('are made once by many nodes that start together', async () => {
    await write('2026-11-02T00:00:00Z');
    await Promise.all(Array.from({ length: 4 }, () => partitions(0).ensure(at('2026-11-25'))));
    expect(await months()).toHaveLength(3);
    expect(await places()).toEqual({ '2026-11-02': 'audit_events_2026_11' });
  });

  it('get the rows that were written before they were there, each its month', async () => {
    for (const day of ['2026-09-30', '2026-11-02', '2026-11-03']) await write(`${day}T10:00:00Z`);
    await kept.ensure(at('2026-11-25'));
    expect(await places()).toEqual({
      '2026-09-30': 'audit_events_2026_09',
      '2026-11-02': 'audit_events_2026_11',
      '2026-11-03': 'audit_events_2026_11',
    });
    await write('2020-01-01T00:00:00Z');
    expect(await places()).toMatchObject({ '2020-01-01': 'audit_events_default' });
    await kept.ensure(at('2026-11-25'));
    expect(await places()).toMatchObject({ '2020-01-01': 'audit_events_2020_01' });
  });

  it('lose no row that is written while rows move', async () => {
    for (let day = 1; day <= 20; day++) await write(`2026-11-${String(day).padStart(2, '0')}T10:00:00Z`);
    const writers = Array.from({ length: 40 }, (_, i) => write('2026-11-21T10:00:00Z', `n.${i}`));
    await Promise.all([kept.ensure(at('2026-11-25')), ...writers]);
    const [row] = await services.database.query<{ rows: string }>('SELECT count(*) AS rows FROM audit_events');
    expect(Number(row?.rows)).toBe(60);
  });

  it('go when they are wholly older than the limit, and what was never in one goes too', async () => {
    for (const day of ['2025-09-30', '2025-10-31', '2025-11-01', '2026-11-01']) await write(`${day}T10:00:00Z`);
    await kept.ensure(at('2026-11-25'));
    await write('2024-01-01T00:00:00Z');
    await partitions(12).ensure(at('2026-11-25'));
    expect(await places()).toEqual({ '2025-11-01': 'audit_events_2025_11', '2026-11-01': 'audit_events_2026_11' });
    expect(await months()).not.toContain('audit_events_2025_10');
  });

  it('follow the clock of the database by default', async () => {
    await kept.ensure();
    await services.unitOfWork.run((tx) =>
      tx.query(`INSERT INTO audit_events (at, id, actor, action, resource, outcome)
        VALUES (now(), gen_random_uuid(), 'user:1', 'repo.update', 'repo:acme/app', 'allowed')`),
    );
    expect(Object.values(await places())[0]).toMatch(/^audit_events_\d{4}_\d\d$/);
  });

  it('wait for nobody for long: whoever reads the log for hours is not in the way of those who write', async () => {
    const reader = services.dataSource.createQueryRunner();
    await reader.startTransaction();
    await reader.query('SELECT count(*) FROM audit_events');
    await expect(kept.ensure(at('2026-11-25'))).rejects.toThrow(/lock timeout/);
    await write('2026-11-25T00:00:00Z');
    await reader.rollbackTransaction();
    await reader.release();
    await kept.ensure(at('2026-11-25'));
    expect(await places()).toEqual({ '2026-11-25': 'audit_events_2026_11' });
  });
});

describe('rows of the audit log', () => {
  it.each([
    ['in a month', '2026-11-25T00:00:00Z'],
    ['in the default partition', '2020-01-01T00:00:00Z'],
    ['in a month that got them later', '2026-10-01T00:00:00Z'],
  ])('are never changed and never deleted, %s', async (_, time) => {
    await write(time);
    await kept.ensure(at('2026-11-25'));
    const [place = ''] = Object.values(await places());
    for (const table of ['audit_events', place]) {
      await expect(services.database.query(`UPDATE ${table} SET actor = 'user:2'`)).rejects.toThrow(/append-only/);
      await expect(services.database.query(`DELETE FROM ${table}`)).rejects.toThrow(/append-only/);
    }
    expect(Object.keys(await places())).toHaveLength(1);
  });
});
