import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../config/error-code.js';
import { StartupError } from '../config/startup-error.js';
import { isWithoutRoom } from './connection-refusals.js';
import { DatabaseConnection } from './database-connection.js';
import { adviceOn, type Place, placeOf } from './start-failures.js';

// A database that is there but slow, full or about to be ready is waited for: nothing runs yet that would wait
// behind it.
const PATIENCE_MS = 15_000;
const ASK_EVERY_MS = 250;
const OLDEST_VERSION = 150_000;
const NOT_READY = '57P03';

/** In one statement: each would be a round trip. */
const DESCRIBE = `
SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() AS "isStandby"`;

interface Description {
  readonly version: number;
  readonly encoding: string;
  readonly isStandby: boolean;
}

/**
 * Whether the database that `setting` names answers and is one that the registry can use, before anything is built on
 * it. Throws `StartupError`.
 */
export async function checkDatabase(url: string, setting = 'DATABASE_URL'): Promise<void> {
  const place = placeOf(url, setting);
  const patienceEnds = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      refuseUnusable(await describe(url), place);
      return;
    } catch (error) {
      if (error instanceof StartupError) throw error;
      const isWorthWaiting = isWithoutRoom(error) || errorCode(error) === NOT_READY;
      if (!isWorthWaiting || performance.now() > patienceEnds) throw failureOf(error, place);
      await sleep(ASK_EVERY_MS);
    }
  }
}

async function describe(url: string): Promise<Description> {
  const client = new DatabaseConnection({ connectionString: url, connectionTimeoutMillis: PATIENCE_MS });
  client.on('error', () => undefined); // a connection that is lost again shows in the pool
  try {
    await client.connect();
    const { rows } = await client.query<Description>(DESCRIBE);
    const [description] = rows;
    if (description === undefined) throw new Error('PostgreSQL does not describe itself');
    return description;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function refuseUnusable({ version, encoding, isStandby }: Description, place: Place): void {
  if (version < OLDEST_VERSION) throw new StartupError(`the database at ${place.name} is older than PostgreSQL 15`);
  if (encoding !== 'UTF8')
    throw new StartupError(
      `the database at ${place.name} has the encoding ${encoding} and must have UTF8: make one with ` +
        `CREATE DATABASE "${place.database}" TEMPLATE template0 ENCODING 'UTF8', and name it in ${place.setting}`,
    );
  if (isStandby)
    throw new StartupError(
      `the database at ${place.name} is a standby, which takes no writes: name the primary in ${place.setting}`,
    );
}

function failureOf(error: unknown, place: Place): StartupError {
  const advice = adviceOn(error, place.setting) ?? `${String(error)}: check ${place.setting} and the server`;
  return new StartupError(`the database at ${place.name} cannot be used: ${advice}`, { cause: error });
}
