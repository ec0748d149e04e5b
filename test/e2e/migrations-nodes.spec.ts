// once: no store takes part in it
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { freshDatabase, type TestDatabase } from '../support/postgres.js';
import { nextLevel, nextVersion } from '../support/other-build.js';
import { end, eventually, start } from '../support/processes.js';
import { newSetting, type Registry, type Setting, startRegistry } from '../support/registry.js';

// Several nodes that start at once on a busy machine take their time.
jest.setTimeout(400_000);
const startTimeoutMs = 180_000;

const EXPAND = {
  name: 'Expand',
  up: ['CREATE TABLE new_things (id int PRIMARY KEY)', 'ALTER TABLE tags ADD COLUMN colour text'],
};
const CONTRACT = {
  name: 'Contract',
  up: [
    `INSERT INTO schema_contracts (migration, level, since, what)
     VALUES ('Contract', 2, '0.9.0', '0.10.0 keeps colours elsewhere')`,
  ],
};
/** Runs as long as the test wants: until there is no row in `held`. */
const SLOW = {
  name: 'Slow',
  up: [
    'CREATE TABLE half_done (id int)',
    'DO $$ BEGIN IF EXISTS (SELECT FROM held) THEN PERFORM pg_sleep(600); END IF; END $$',
    'CREATE TABLE whole (id int)',
  ],
};

describe('migrations and several nodes', () => {
  it('run once when many nodes start at once on an empty database, and none of them fails', async () => {
    const { database, setting } = await emptyRegistry();
    const nodes = await Promise.all(Array.from({ length: 4 }, () => startRegistry(nodeOf(setting))));
    const rows = await database.query<{ name: string }>('SELECT name FROM migrations');
    expect(rows.length).toBeGreaterThan(0);
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    for (const node of nodes) await expectToServe(node);
  });

  it('are as if they had not begun when the node that runs them is killed, and the next start completes them', async () => {
    const { database, setting } = await emptyRegistry();
    await database.query('CREATE TABLE held AS SELECT 1');
    const build = nextVersion(SLOW);
    const migrating = startMigrating(build, database);
    await eventually('the migration runs', async () => (await sleepers(database)).length === 1);
    await end(migrating, 'SIGKILL');
    // The server finds out by itself; nobody ends its statement for it.
    await eventually('the server gives the lock back', async () => (await sleepers(database)).length === 0);
    expect(await tablesOf(database)).toEqual(['held']);

    await database.query('DELETE FROM held');
    await expectToServe(await startRegistry({ ...nodeOf(setting), build }));
    expect(await tablesOf(database)).toEqual(expect.arrayContaining(['half_done', 'whole', 'repos']));
  });

  it('let everybody pass while a table is in use, and go on when it is free', async () => {
    const { database, setting } = await emptyRegistry();
    const old = await startRegistry(nodeOf(setting));
    const reader = new pg.Client({ connectionString: database.url });
    await reader.connect();
    try {
      await reader.query('BEGIN');
      await reader.query('SELECT FROM tags LIMIT 1');
      const updated = startRegistry({ ...nodeOf(setting), build: nextVersion(EXPAND) });
      await eventually('the migration waits', async () => (await waiters(database)).length > 0);
      await expectToServe(old); // behind the migration, until that steps back
      await reader.query('COMMIT');
      await expectToServe(await updated);
    } finally {
      await reader.end();
    }
  });
});

describe('a node that is older than the schema', () => {
  it('starts and serves when what it does not know has only added something', async () => {
    const { database, setting } = await emptyRegistry();
    const updated = await startRegistry({ ...nodeOf(setting), build: nextVersion(EXPAND) });
    const old = await startRegistry(nodeOf(setting));
    await expectToServe(updated);
    await expectToServe(old);
    expect(await database.query('SELECT FROM new_things')).toEqual([]);
  });

  it('refuses to start once something is gone that it needs, and says which version to run', async () => {
    const { setting } = await emptyRegistry();
    const build = nextLevel(2, EXPAND, CONTRACT);
    await expectToServe(await startRegistry({ ...nodeOf(setting), build }));
    const refusal = await startRegistry(nodeOf(setting)).then(
      () => 'it started',
      (error: unknown) => String(error),
    );
    expect(refusal).toContain('ended with 1');
    expect(refusal).toContain(
      'Aerugo cannot start: the database belongs to a newer version: 0.10.0 keeps colours elsewhere. Run Aerugo 0.9.0 or newer',
    );
    await expectToServe(await startRegistry({ ...nodeOf(setting), build }));
  });
});

async function emptyRegistry(): Promise<{ database: TestDatabase; setting: Setting }> {
  const database = await freshDatabase();
  return { database, setting: await newSetting({ database }) };
}

/** What `like` takes from a node that runs, for those that start together. */
function nodeOf(setting: Setting): { like: Setting; startTimeoutMs: number } {
  return { like: setting, startTimeoutMs };
}

/** A process that does nothing but migrate, as the first thing that a node does. */
function startMigrating(build: string, { url }: TestDatabase): ChildProcess {
  const migrate = pathToFileURL(path.join(build, 'src', 'database', 'migrate.js')).href;
  const database = JSON.stringify({ url, embedded: false, directUrl: null, maxConnections: 2 });
  const program = `import('${migrate}').then(({ migrate }) => migrate(${database}))`;
  return start(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' });
}

async function expectToServe(node: Registry): Promise<void> {
  const digest = await node.client.pushBlob('admin/app', `pushed through ${node.url}`);
  await node.client.headBlob('admin/app', digest).expect(200, { digest });
}

const sleepers = (database: TestDatabase) =>
  database.query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg\\_sleep(600)%'
    AND pid <> pg_backend_pid()`);

const waiters = (database: TestDatabase) =>
  database.query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`);

async function tablesOf(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`,
  );
  return rows.map(({ name }) => name);
}
