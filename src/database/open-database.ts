import type { AppConfig } from '../config/config.js';
import { ensureDataDir } from '../config/data-dir.js';
import { checkDatabase } from './check-database.js';
import { lockDataDir } from './embedded/data-dir-lock.js';
import { EmbeddedPostgres } from './embedded/embedded-postgres.js';

export interface OpenDatabase {
  /** With the address of the database, also where it is the embedded one. */
  readonly config: AppConfig;
  /** Resolves when a database of this process's own has ended by itself; never when the database is external. */
  readonly failed: Promise<Error>;
  close(): Promise<void>;
}

/**
 * The database that the configuration names, known to answer; or else the data directory locked and a database
 * started in it. Throws `StartupError`, after putting back whatever it took.
 */
export async function openDatabase(
  config: AppConfig,
  say: (line: string) => void,
  stop: AbortSignal,
): Promise<OpenDatabase> {
  const { url, maxConnections } = config.database;
  if (url !== null) {
    await checkDatabase(url);
    return { config, failed: new Promise(() => undefined), close: () => Promise.resolve() };
  }
  const { dataDir } = config.server;
  ensureDataDir(dataDir);
  const lock = await lockDataDir(dataDir);
  try {
    const database = await EmbeddedPostgres.start({ dataDir, maxConnections, say, stop });
    const close = async (): Promise<void> => {
      await database.stop();
      lock.release();
    };
    const failed = database.ended.then(
      () => new Error('the embedded database has ended by itself; postgres.log in DATA_DIR says why'),
    );
    return { config: config.withEmbeddedDatabase(database.url), failed, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}
