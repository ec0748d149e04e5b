import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { DataSource, MigrationExecutor, type MigrationInterface, type QueryRunner } from 'typeorm';
import type { DatabaseConfig } from '../config/config-values.js';
import { dataSourceOptions } from './data-source-options.js';
import { refuseContracted } from './schema-level.js';
import { explained } from './start-failures.js';
import { sqlState } from './unit-of-work.js';

/** Any constant: all nodes of a registry ask for the same one. */
const MIGRATION_LOCK = 7_236_401;
const ASK_EVERY_MS = 200;
/** Nodes of the version before work on: a table that they use is waited for this long, and they wait behind it. */
const LOCK_TIMEOUT_MS = 3_000;
/** Of two who wait for each other PostgreSQL ends one, and that may be this one. */
const IN_USE = new Set(['55P03', '40P01']);
const PATIENCE_MS = 5 * 60_000;

/**
 * A server at work on a statement does not check whether its client is still there: a node that died in the
 * middle of a long one would keep the lock until its end. Servers on systems that cannot tell refuse the setting.
 */
const NOTICE_DEATH = `SELECT set_config(name, '1000', true) FROM pg_settings
WHERE name = 'client_connection_check_interval' AND version() ~ 'linux|darwin|apple'`;

const DIRECTORY = join(import.meta.dirname, '../../migrations');

/**
 * Brings the schema up to date, past a pooler where `DATABASE_DIRECT_URL` names the way. Many nodes may start at once:
 * one migrates, in one transaction that also has the lock; the others ask for the lock now and then, with no connection
 * of a small pooler in hand, and then find nothing to do. A node that dies leaves everything as it was. Gives the names
 * of the migrations that this call has run. Throws `StartupError` when the database is for newer versions only, and for what an operator has to correct.
 */
export function migrate(database: DatabaseConfig): Promise<string[]> {
  const { url, directUrl } = database;
  const setting = directUrl === null ? 'DATABASE_URL' : 'DATABASE_DIRECT_URL';
  return explained({ url: directUrl ?? url }, () => migrateAll(database), setting);
}

async function migrateAll(database: DatabaseConfig): Promise<string[]> {
  const options = dataSourceOptions(
    { ...database, maxConnections: 1 },
    { url: database.directUrl ?? database.url, limits: { statementMs: 0, lockMs: LOCK_TIMEOUT_MS } },
  );
  const dataSource = await new DataSource({ ...options, migrations: await migrations() }).initialize();
  const patienceEnds = Date.now() + PATIENCE_MS;
  try {
    for (;;) {
      const names = await migrateOnce(dataSource, Date.now() < patienceEnds);
      if (names !== null) return names;
      await sleep(ASK_EVERY_MS);
    }
  } finally {
    await dataSource.destroy();
  }
}

/** `null` when it must be tried again: another node migrates, or a table is in use for too long. */
async function migrateOnce(dataSource: DataSource, mayWait: boolean): Promise<string[] | null> {
  try {
    return await dataSource.transaction(async ({ queryRunner }) => {
      if (!queryRunner) throw new Error('a transaction without its connection');
      if (!(await hasLock(queryRunner))) return null;
      await refuseContracted(queryRunner);
      await queryRunner.query(NOTICE_DEATH);
      const executor = new MigrationExecutor(dataSource, queryRunner);
      executor.transaction = 'all';
      const executed = await executor.executePendingMigrations();
      return executed.map(({ name }) => name);
    });
  } catch (error) {
    if (IN_USE.has(sqlState(error) ?? '') && mayWait) return null;
    throw error;
  }
}

async function hasLock(queryRunner: QueryRunner): Promise<boolean> {
  const rows = (await queryRunner.query('SELECT pg_try_advisory_xact_lock($1) AS "isOurs"', [MIGRATION_LOCK])) as {
    isOurs: boolean;
  }[];
  return rows[0]?.isOurs === true;
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
