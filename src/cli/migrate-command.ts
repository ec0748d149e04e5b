import type { AppConfig } from '../config/config.js';
import { readConfig } from '../config/read-config.js';
import { checkDatabase } from '../database/check-database.js';
import { migrate } from '../database/migrate.js';
import { openDatabase } from '../database/open-database.js';
import { StopSignals } from '../server/stop-signals.js';
import { EXIT_CODES, type ExitCode } from './exit-codes.js';
import { note, type OutputOptions, print } from './output.js';

export interface MigrateOptions extends OutputOptions {
  readonly finish?: true;
}

/**
 * Brings the schema up to date and ends; nodes do the same when they start. Without `DATABASE_URL` it is the embedded
 * database that is started for it. Throws `StartupError`.
 */
export async function migrateCommand(options: MigrateOptions): Promise<ExitCode> {
  const config = readConfig();
  const finish = options.finish === true;
  const { migrations, level } = config.isProduction
    ? await migrateServer(config, finish)
    : await migrateEmbedded(config, finish);
  const lines = migrations.length === 0 ? ['the schema is up to date'] : migrations.map((name) => `migrated: ${name}`);
  if (level !== null) lines.push(`the upgrade is finished: all rules of level ${level} are on`);
  print(options, { migrations, ...(level === null ? {} : { level }) }, lines);
  return EXIT_CODES.ok;
}

interface Migrated {
  readonly migrations: string[];
  /** `null` where the upgrade was not to be finished. */
  readonly level: number | null;
}

/** A pooler that is away does not matter where `DATABASE_DIRECT_URL` leads past it. */
async function migrateServer(config: AppConfig, finish: boolean): Promise<Migrated> {
  const { url, directUrl } = config.database;
  if (directUrl !== null) await checkDatabase(directUrl, 'DATABASE_DIRECT_URL');
  else if (url !== null) await checkDatabase(url);
  return migrateAndFinish(config, finish);
}

async function migrateEmbedded(config: AppConfig, finish: boolean): Promise<Migrated> {
  const database = await openDatabase(config, note, new StopSignals().stop);
  try {
    return await migrateAndFinish(database.config, finish);
  } finally {
    await database.close();
  }
}

async function migrateAndFinish(config: AppConfig, finish: boolean): Promise<Migrated> {
  const migrations = await migrate(config.database);
  if (!finish) return { migrations, level: null };
  const { finishUpgrade } = await import('./finish-upgrade.js');
  return { migrations, level: await finishUpgrade(config) };
}
