import type { DataSource } from 'typeorm';

/** Any constant: all nodes of a registry ask for the same one. */
const MIGRATION_LOCK = 7_236_401;

/**
 * Brings the schema up to date. Many nodes may start at once: one migrates, the others wait for the lock and then
 * find nothing to do. The lock belongs to a transaction, so a node that dies gives it back, also behind a pooler.
 */
export async function migrate(dataSource: DataSource): Promise<void> {
  await dataSource.transaction(async (manager) => {
    await manager.query('SET LOCAL statement_timeout = 0'); // another node's migration may take its time
    await manager.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await dataSource.runMigrations({ transaction: 'all' });
  });
}
