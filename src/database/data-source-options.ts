import type { DataSourceOptions } from 'typeorm';
import type { DatabaseConfig } from '../config/config-values.js';
import { DRIVER } from './connection-pool.js';
import { type ConnectionListeners, DatabaseConnection, type StatementLimits } from './database-connection.js';
import type { DatabaseWatch } from './database-watch.js';

/** A statement that runs longer is a bug or a lost lock; who waits for a row has a connection that others need. */
export const LIMITS: StatementLimits = { statementMs: 30_000, lockMs: 10_000 };
/** For a connection of the pool to become free, and again for a new one; milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * What every connection of this program is made with. Nothing is sent with the start of a connection that a pooler
 * refuses, and whether there is one is found out then (`DatabaseConnection`).
 */
export function dataSourceOptions(
  database: DatabaseConfig,
  { url = database.url, limits = LIMITS, watch }: DataSourceSettings = {},
): DataSourceOptions {
  if (url === null) throw new Error('the database has no address yet');
  const listeners: ConnectionListeners = { worked: null, refused: null };
  return {
    type: 'postgres',
    driver: DRIVER,
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
      keepAliveInitialDelayMillis: 10_000,
      Client: DatabaseConnection,
      listeners,
      onConnect: async (connection: DatabaseConnection) => {
        watch?.add(connection);
        await connection.greet(limits);
      },
    },
  };
}

/** Of the connections of a data source with these options. */
export function listenersOf({ extra }: DataSourceOptions): ConnectionListeners {
  return (extra as { readonly listeners: ConnectionListeners }).listeners;
}

export interface DataSourceSettings {
  readonly url?: string | null;
  readonly limits?: StatementLimits;
  readonly watch?: DatabaseWatch;
}
