import type { DataSourceOptions } from 'typeorm';
import type { DatabaseConfig } from '../config/config-values.js';
import { PreparingClient } from './preparing-client.js';

/** A statement that runs longer is a bug or a lost lock; milliseconds. */
const STATEMENT_TIMEOUT_MS = 30_000;
/** Who waits for a row has a connection in hand that others need. Milliseconds. */
const LOCK_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * What every connection of this program is made with. No session state: a pooler in transaction mode may stand between.
 */
export function dataSourceOptions(
  database: DatabaseConfig,
  url = database.url,
  lockTimeout = LOCK_TIMEOUT_MS,
): DataSourceOptions {
  if (url === null) throw new Error('the database has no address yet');
  return {
    type: 'postgres',
    url,
    // Sizes and identifiers stay below 2^53.
    parseInt8: true,
    synchronize: false,
    installExtensions: false,
    poolSize: database.maxConnections,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    extra: {
      idleTimeoutMillis: 60_000,
      keepAlive: true,
      // A second, direct address says that this one is a pooler's: it refuses start-up parameters and forgets statements.
      ...(database.directUrl === null
        ? { statement_timeout: STATEMENT_TIMEOUT_MS, lock_timeout: lockTimeout, Client: PreparingClient }
        : {}),
    },
  };
}
