import type { DatabaseConfig } from '../config/config-values.js';
import { errorCode } from '../config/error-code.js';
import { StartupError } from '../config/startup-error.js';
import { isWithoutRoom } from './connection-refusals.js';

const UNKNOWN_AUTHORITY =
  'its certificate is signed by an unknown authority: name the authority with sslrootcert in DATABASE_URL';
const UNREACHABLE = 'it cannot be reached from here: correct DATABASE_URL, or the network between';
const READ_ONLY =
  'it takes no writes: name the primary in DATABASE_URL, or take default_transaction_read_only from the role and the database';
const NO_ROOM =
  'it lets no more connections in: lower DATABASE_MAX_CONNECTIONS of all nodes, or raise the CONNECTION LIMIT of the ' +
  'role or the database, or max_connections of the server';

/** What PostgreSQL and the system call the usual mistakes, and what to do about each. */
const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: start PostgreSQL, or correct DATABASE_URL',
  ENOTFOUND: 'there is no such host: correct DATABASE_URL',
  EAI_AGAIN: 'its name cannot be looked up: correct DATABASE_URL, or the DNS of this machine',
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ETIMEDOUT: UNREACHABLE,
  ECONNRESET: 'it closed the connection: is that PostgreSQL, and does it take TLS as sslmode in DATABASE_URL says?',
  ENOENT: 'a file that DATABASE_URL names is not there: correct sslrootcert, sslcert or sslkey',
  EACCES: 'a file that DATABASE_URL names may not be read by this user: sslrootcert, sslcert or sslkey',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: 'its certificate has expired: renew it',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: correct the host in DATABASE_URL',
  NO_TLS: 'the server has no TLS: give it a certificate, or take sslmode out of DATABASE_URL',
  NO_PASSWORD: 'it asks for a password and there is none: put it into DATABASE_URL',
  '28P01': 'the user name or password is wrong: correct DATABASE_URL',
  '28000': 'the server does not let this user in from here: correct DATABASE_URL, or its pg_hba.conf',
  '3D000': 'it does not exist: create it, or correct DATABASE_URL',
  '25006': READ_ONLY,
  '57P03': 'it is starting, stopping or recovering: start again when it is ready',
  '53100': 'its disk is full: make room there',
  '53300': NO_ROOM,
};
const TELLING: ReadonlySet<string> = new Set(['28000', '53300']);
/** SQLSTATEs "insufficient privilege" and "invalid schema name": no schema that this user may see. */
const NO_RIGHT = new Set(['42501', '3F000']);

/** Of pg, which gives these no code. */
const MESSAGES: readonly (readonly [RegExp, string])[] = [
  [/server does not support SSL/, 'NO_TLS'],
  [/client password must be a string/, 'NO_PASSWORD'],
  [/timeout expired|timeout exceeded when trying to connect|connection timeout/i, 'ETIMEDOUT'],
  [/Connection terminated unexpectedly/, 'ECONNRESET'],
  [/no such database/, '3D000'], // of PgBouncer
];

/** What the operator has to do about a failure of the database at the start; `null` when it is none of the usual ones. */
export function adviceOn(error: unknown, setting: string): string | null {
  const cause = driverErrorOf(error);
  const code = conditionOf(cause);
  const advice = ADVICE[code]?.replaceAll('DATABASE_URL', setting) ?? null;
  // The server's own sentence names the address, or whose limit it is.
  return advice !== null && TELLING.has(code) ? `${advice} (${(cause as Error).message})` : advice;
}

/** The same as an error to end with; what is not an operator's to correct stays as it is. */
function startFailureOf(error: unknown, place: Place): unknown {
  if (error instanceof StartupError) return error;
  const cause = driverErrorOf(error);
  const code = conditionOf(cause);
  if (NO_RIGHT.has(code)) return new StartupError(rightsAdvice(cause as Error, place), { cause: error });
  const advice = adviceOn(cause, place.setting);
  if (advice === null) return error;
  return new StartupError(`the database at ${place.name} cannot be used: ${advice}`, { cause: error });
}

/** Runs a part of the start that asks the database. Throws `StartupError` for what the operator can correct. */
export async function explained<T>(
  { url }: Pick<DatabaseConfig, 'url'>,
  work: () => Promise<T>,
  setting = 'DATABASE_URL',
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw url === null ? error : startFailureOf(error, placeOf(url, setting));
  }
}

/** Which database it is, without the password. */
export interface Place {
  readonly name: string;
  readonly database: string;
  readonly user: string;
  readonly setting: string;
}

export function placeOf(url: string, setting: string): Place {
  const { host, pathname, username } = new URL(url);
  const user = decodeURIComponent(username);
  return { name: `${host}${pathname}`, database: decodeURIComponent(pathname.slice(1)), user, setting };
}

/** The server's own sentence names what was refused: a schema, a table, or the owner of one. */
function rightsAdvice({ message }: Error, { name, database, user }: Place): string {
  const missing = `the user "${user}" has too few rights in the database at ${name} (${message}): `;
  const [, table] = /must be owner of (?:table|relation|sequence|index|view|function) (\S+)/.exec(message) ?? [];
  if (table !== undefined)
    return `${missing}let the user migrate that owns the tables, or as that user run REASSIGN OWNED BY CURRENT_USER TO "${user}"`;
  if (/for database/.test(message))
    return `${missing}run GRANT CREATE ON DATABASE "${database}" TO "${user}" as its owner`;
  const [, kind = 'schema', object = ''] = /permission denied for (\w+) (\S+)/.exec(message) ?? [];
  if (kind !== 'schema')
    return (
      `${missing}run GRANT ALL ON ALL TABLES IN SCHEMA public TO "${user}" as the owner of ${object}, ` +
      'or let the user run the registry that owns the tables'
    );
  const schema = object === '' ? 'public' : object;
  return `${missing}run in "${database}" as its owner: GRANT USAGE, CREATE ON SCHEMA ${schema} TO "${user}"`;
}

function conditionOf(cause: unknown): string {
  if (isWithoutRoom(cause)) return '53300';
  const message = cause instanceof Error ? cause.message : '';
  return MESSAGES.find(([text]) => text.test(message))?.[1] ?? errorCode(cause);
}

/** TypeORM puts the driver's error into one of its own. */
function driverErrorOf(error: unknown): unknown {
  return error instanceof Error && 'driverError' in error ? error.driverError : error;
}
