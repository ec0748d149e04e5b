import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DataSource, type MigrationInterface } from 'typeorm';
import type { DatabaseConfig } from '../config/config-values.js';
import { dataSourceOptions } from './data-source-options.js';

/** Any constant: all nodes of a registry ask for the same one. */
const MIGRATION_LOCK = 7_236_401;

const DIRECTORY = join(import.meta.dirname, '../../migrations');

/**
 * Brings the schema up to date, past a pooler where `DATABASE_DIRECT_URL` names the way. Many nodes may start at
 * once: one migrates, the others wait for the lock and then find nothing to do. The lock belongs to a transaction,
 * so a node that dies gives it back.
 */
export async function migrate(database: DatabaseConfig): Promise<void> {
  // Two connections of its own, one for the lock and one for the work, whatever the pool's bound is.
  // Another node's migration may take its time, so no lock is given up early.
  const options = dataSourceOptions({ ...database, maxConnections: 2 }, database.directUrl ?? database.url, 0);
  const dataSource = await new DataSource({ ...options, migrations: await migrations() }).initialize();
  try {
    await dataSource.transaction(async (manager) => {
      await manager.query('SET LOCAL statement_timeout = 0');
      await manager.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
      await dataSource.runMigrations({ transaction: 'all' });
    });
  } finally {
    await dataSource.destroy();
  }
}

/**
 * Imported here and not by TypeORM, which makes its `import` from text: what V8 then remembers of the text belongs to
 * the first test file of a process and fails in the next.
 */
async function migrations(): Promise<(new () => MigrationInterface)[]> {
  const files = readdirSync(DIRECTORY).filter((file) => /^\d+-[\w-]+\.(js|ts)$/.test(file));
  const modules: object[] = [];
  for (const file of files.sort()) modules.push((await import(pathToFileURL(join(DIRECTORY, file)).href)) as object);
  return modules.flatMap((module) => Object.values(module) as (new () => MigrationInterface)[]);
}
