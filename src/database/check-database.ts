import pg from 'pg';
import { errorCode } from '../config/error-code.js';
import { StartupError } from '../config/startup-error.js';

// A database that is there but slow is worth waiting for: nothing runs yet that would wait behind it.
const CONNECT_TIMEOUT_MS = 15_000;
const OLDEST_VERSION = 150_000;

const UNKNOWN_AUTHORITY =
  'its certificate is signed by nobody known: name the authority with sslrootcert in DATABASE_URL';
/** What PostgreSQL and the system call the usual mistakes, and what to do about each. */
const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: start PostgreSQL, or correct DATABASE_URL',
  ENOTFOUND: 'there is no such host: correct DATABASE_URL',
  EAI_AGAIN: 'its name cannot be looked up: correct DATABASE_URL, or the DNS of this machine',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: correct the host in DATABASE_URL',
  NO_TLS: 'the server has no TLS: give it a certificate, or take sslmode out of DATABASE_URL',
  '28P01': 'the user name or password is wrong: correct DATABASE_URL',
  '28000': 'the server does not let this user in from here: correct DATABASE_URL, or its pg_hba.conf',
  '3D000': 'it does not exist: create it, or correct DATABASE_URL',
};

/** Whether the database that `setting` names answers and is new enough, before anything is built on it. Throws `StartupError`. */
export async function checkDatabase(url: string, setting = 'DATABASE_URL'): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => undefined); // a connection that is lost again shows in the pool
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version_num: string }>('SHOW server_version_num');
    const version = Number(rows[0]?.server_version_num);
    if (version < OLDEST_VERSION) throw new StartupError(`the database at ${place(url)} is older than PostgreSQL 15`);
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const code = isWithoutTls(error) ? 'NO_TLS' : errorCode(error);
    const advice = ADVICE[code]?.replaceAll('DATABASE_URL', setting) ?? `${code}: check ${setting} and the server`;
    throw new StartupError(`the database at ${place(url)} cannot be used: ${advice}`, { cause: error });
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** pg gives this one no code. */
function isWithoutTls(error: unknown): boolean {
  return error instanceof Error && error.message === 'The server does not support SSL connections';
}

/** Without the user and the password. */
function place(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
