import type { AppConfig } from '../config/config.js';
import { readConfig } from '../config/read-config.js';
import { checkDatabase } from '../database/check-database.js';
import { migrate } from '../database/migrate.js';
import { openDatabase } from '../database/open-database.js';
import { StopSignals } from '../server/stop-signals.js';
import { EXIT_CODES, type ExitCode } from './exit-codes.js';
import { note, print, type OutputOptions } from './output.js';

/**
 * Brings the schema up to date and ends; nodes do the same when they start. Without `DATABASE_URL` it is the embedded
 * database that is started for it. Throws `StartupError`.
 */
export async function migrateCommand(options: OutputOptions): Promise<ExitCode> {
  const config = readConfig();
  const migrations = config.isProduction ? await migrateServer(config) : await migrateEmbedded(config);
  const lines = migrations.length === 0 ? ['the schema is up to date'] : migrations.map((name) => `migrated: ${name}`);
  print(options, { migrations }, lines);
  return EXIT_CODES.ok;
}

/** A pooler that is away does not matter where `DATABASE_DIRECT_URL` leads past it. */
async function migrateServer({ database }: AppConfig): Promise<string[]> {
  const { url, directUrl } = database;
  if (directUrl !== null) await checkDatabase(directUrl, 'DATABASE_DIRECT_URL');
  else if (url !== null) await checkDatabase(url);
  return migrate(database);
}

async function migrateEmbedded(config: AppConfig): Promise<string[]> {
  const database = await openDatabase(config, note, new StopSignals().stop);
  try {
    return await migrate(database.config.database);
  } finally {
    await database.close();
  }
}
