import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource, type MigrationInterface } from 'typeorm';
import { migrate } from '../src/database/migrate.js';
import { findProgram } from './support/processes.js';
import { freshDatabase, type PostgresKind, type TestDatabase } from './support/postgres.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Every server that the registry promises to run on and that this machine has. */
const SERVERS: PostgresKind[] = findProgram('initdb') === null ? ['embedded'] : ['embedded', 'debian'];

describe.each(SERVERS)('migrations on PostgreSQL (%s)', (kind) => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await freshDatabase(kind);
    dataSource = await open(database.url);
    await migrateAt(database.url);
  }, 60_000);

  afterAll(() => dataSource.destroy());

  it('make exactly the tables that the entities describe', async () => {
    const drift = await dataSource.driver.createSchemaBuilder().log();
    expect(drift.upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('leave no foreign key without an index that finds its referencing rows', async () => {
    expect(await database.query(UNINDEXED_FOREIGN_KEYS)).toEqual([]);
  });

  it('run once when many nodes start together', async () => {
    const empty = await freshDatabase(kind);
    await Promise.all(Array.from({ length: 4 }, () => migrateAt(empty.url)));
    const rows = await empty.query('SELECT name FROM migrations');
    expect(rows).toHaveLength(dataSource.migrations.length);
  }, 60_000);

  it('cannot be undone while blobs are in several files, which the version before cannot read', async () => {
    const used = await freshDatabase(kind);
    await migrateAt(used.url);
    const node = await open(used.url);
    // Without the foreign keys' rows.
    await used.query(`SET session_replication_role = replica;
      INSERT INTO uploads (id, repo_id, principal, credential, epoch, algorithm, expires_at, compact_after)
      VALUES ('6b8c0d5e-0d5a-4b5c-9a53-0c1b2b7c1c58', 1, 'user:1', 'system', 1, 'sha256', 'infinity', now())`);
    const undo = async (): Promise<void> => {
      for (const _ of node.migrations) await node.undoLastMigration();
    };
    await expect(undo()).rejects.toThrow('blobs are in several files');
    await used.query('DELETE FROM uploads');
    await node.undoLastMigration();
    await node.destroy();
  });

  it('take the administrators that there are for accounts that the configuration made, and nobody else', async () => {
    const used = await freshDatabase(kind);
    await migrateAt(used.url);
    const node = await open(used.url);
    const column = `SELECT FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'from_configuration'`;
    while ((await used.query(column)).length > 0) await node.undoLastMigration();
    await node.destroy();
    await used.query(`
      WITH n AS (
        INSERT INTO namespaces (name, kind) VALUES ('root', 'user'), ('admin', 'user'), ('alice', 'user') RETURNING id, name
      )
      INSERT INTO users (namespace_id, username, admin) SELECT id, name, name <> 'admin' FROM n`);
    await used.query(`UPDATE users SET deleted_at = now() WHERE username = 'alice'`);
    await migrateAt(used.url);
    expect(await used.query('SELECT username FROM users WHERE from_configuration')).toEqual([{ username: 'root' }]);
    // As a node of the version before does it beside newer ones.
    await used.query(`
      WITH n AS (INSERT INTO namespaces (name, kind) VALUES ('bob', 'user') RETURNING id)
      INSERT INTO users (namespace_id, username, admin) SELECT id, 'bob', true FROM n`);
  });

  it('can be undone', async () => {
    const empty = await freshDatabase(kind);
    await migrateAt(empty.url);
    const node = await open(empty.url);
    for (const _ of node.migrations) await node.undoLastMigration();
    await node.destroy();
    const tables = await empty.query<{ tablename: string }>(
      `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`,
    );
    expect(tables.map(({ tablename }) => tablename)).toEqual(['migrations']);
  });
});

/** A delete on the referenced side would scan the whole table. An index serves when it begins with the columns. */
const UNINDEXED_FOREIGN_KEYS = `
SELECT c.conrelid::regclass::text AS "table", c.conname AS "foreignKey" FROM pg_constraint c
-- Of pg-boss: nothing is ever deleted from its queues.
WHERE c.contype = 'f' AND c.confrelid <> 'queue'::regclass AND NOT EXISTS (
  SELECT FROM pg_index i
  WHERE i.indrelid = c.conrelid
    AND (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] @> c.conkey
)`;

function migrateAt(url: string): Promise<string[]> {
  return migrate({ url, embedded: false, directUrl: null, maxConnections: 2 });
}

async function open(url: string): Promise<DataSource> {
  return new DataSource({
    type: 'postgres',
    url,
    parseInt8: true,
    installExtensions: false,
    entities: (await exportsOf<new () => object>('src', /\.entity\.ts$/)).filter((one) => isClass(one)),
    migrations: await exportsOf<new () => MigrationInterface>('migrations', /\.ts$/),
  }).initialize();
}

/** Everything that the matching files export: what nobody imports must be compared too. */
async function exportsOf<T>(directory: string, pattern: RegExp): Promise<T[]> {
  const files = readdirSync(path.join(ROOT, directory), { recursive: true, encoding: 'utf8' });
  const modules = await Promise.all(
    files
      .filter((file) => pattern.test(file))
      .map((file) => import(pathToFileURL(path.join(ROOT, directory, file)).href) as Promise<Record<string, T>>),
  );
  return modules.flatMap((module) => Object.values(module));
}

function isClass(value: unknown): boolean {
  return typeof value === 'function';
}
