import { join } from 'node:path';
import { DataSource } from 'typeorm';
import type { DatabaseConfig } from '../config/config-values.js';
import { dataSourceOptions } from './data-source-options.js';

/** Any constant: all nodes of a registry ask for the same one. */
const MIGRATION_LOCK = 7_236_401;

const MIGRATIONS = join(import.meta.dirname, '../../migrations/*.{js,ts}');

/**
 * Brings the schema up to date, past a pooler where `DATABASE_DIRECT_URL` names the way. Many nodes may start at
 * once: one migrates, the others wait for the lock and then find nothing to do. The lock belongs to a transaction,
 * so a node that dies gives it back.
 */
export async function migrate(database: DatabaseConfig): Promise<void> {
  // Two connections of its own, one for the lock and one for the work, whatever the pool's bound is.
  const options = dataSourceOptions({ ...database, maxConnections: 2 }, database.directUrl ?? database.url);
  const dataSource = await new DataSource({ ...options, migrations: [MIGRATIONS] }).initialize();
  try {
    await dataSource.transaction(async (manager) => {
      await manager.query('SET LOCAL statement_timeout = 0'); // another node's migration may take its time
      await manager.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
      await dataSource.runMigrations({ transaction: 'all' });
    });
  } finally {
    await dataSource.destroy();
  }
}
