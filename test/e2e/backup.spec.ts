// needs: postgresql
// once: its database and stores are its own
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { blocksRunBy, commandsIn } from '../docs/commands.js';
import { databaseOn, type PostgresServer, startPostgres, type TestDatabase } from '../support/postgres.js';
import { needProgram, run, scratchDirectory } from '../support/processes.js';
import { newSetting, type Registry, type Setting, startRegistry } from '../support/registry.js';
import { startEmbedded } from './start-to-end.js';

jest.setTimeout(300_000);

/** A busy machine has time to start a node. */
const startTimeoutMs = 120_000;
const SPEC = 'test/e2e/backup.spec.ts';
const ROLE = 'aerugo';

/** What the documents say, by the program that a line starts: `psql "$DATABASE_URL" …`. */
function linesOf(document: string): Record<string, string> {
  const commands = blocksRunBy(SPEC, document).flatMap(({ text }) => commandsIn(text));
  return Object.fromEntries(
    commands
      .map((command) => command.replace(/^docker compose exec -T postgres /, ''))
      .map((command) => [command.split(' ')[0], command]),
  ) as Record<string, string>;
}

const LINES = linesOf('docs/upgrading.md');
const COMPOSE = linesOf('docs/DEPLOYMENT.md');

let server: PostgresServer;

beforeAll(async () => {
  // PostgreSQL 15 of Debian, and its programs.
  server = await startPostgres('debian');
  const admin = await databaseOn(server);
  await admin.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD 'of-the-role'`);
  await admin.query('CREATE ROLE reader');
});

/** A new database as an operator makes it; the URL is that of an ordinary role. */
async function databaseOf(ownerOrGuest: 'owner' | 'guest'): Promise<TestDatabase> {
  const database = await databaseOn(server);
  const name = new URL(database.url).pathname.slice(1);
  if (ownerOrGuest === 'owner') await database.query(`ALTER DATABASE ${name} OWNER TO ${ROLE}`);
  else await database.query(`GRANT CREATE ON SCHEMA public TO ${ROLE}`);
  const url = Object.assign(new URL(database.url), { username: ROLE, password: 'of-the-role' }).href;
  return { ...database, url };
}

/** Runs a line as it stands. What it complains of is in `complaints`; notices of the server, which name its tables, are none. */
async function execute(line: string | undefined, cwd: string, env: Record<string, string>) {
  if (line === undefined) throw new Error('the document has no such line');
  const PATH = `${path.dirname(needProgram('initdb'))}:${process.env['PATH'] ?? ''}`;
  const { code, stderr } = await run('bash', ['-c', line], { cwd, env: { PATH, ...env }, anyCode: true });
  const complaints = stderr.split('\n').filter((text) => /error|warning|fatal/i.test(text) && !NOTICE.test(text));
  return { code, complaints };
}

const NOTICE = /^(NOTICE:.*|DETAIL:  )?drop cascades to /;
const CLEAN = { code: 0, complaints: [] };

interface Backup {
  readonly directory: string;
  readonly original: Registry;
  readonly digest: string;
  readonly dataDir: string;
}

/** A registry that has gone on since its backup. */
async function backUp(): Promise<Backup> {
  const directory = scratchDirectory('backup');
  const database = await databaseOf('owner');
  const original = await startRegistry({ database, store: 'filesystem', startTimeoutMs });
  await database.query('GRANT SELECT ON users TO reader');
  const { digest } = await original.client.pushImage('admin/app', 'kept');
  expect(await execute(LINES['pg_dump'], directory, { DATABASE_URL: database.url })).toEqual(CLEAN);
  const dataDir = path.join(directory, 'store');
  cpSync(original.dataDir, dataDir, { recursive: true });
  await original.client.pushImage('admin/app', 'too-late');
  return { directory, original, digest, dataDir };
}

async function restoredIn(database: TestDatabase, { original, dataDir }: Backup): Promise<Setting> {
  const env = { JWT_SECRET: original.env['JWT_SECRET'] ?? '', ADMIN_PASSWORD: original.password };
  const setting = await newSetting({ database, store: 'filesystem', env });
  mkdirSync(setting.dataDir, { recursive: true });
  cpSync(dataDir, setting.dataDir, { recursive: true });
  return setting;
}

async function isAsItWas(setting: Setting, { original, digest }: Backup): Promise<void> {
  const registry = await startRegistry({ like: setting, startTimeoutMs });
  const client = registry.client.as('admin', original.password);
  await client.getManifest('admin/app', 'kept').expect(200, { digest });
  await client.getManifest('admin/app', 'too-late').expect(404);
  await client.pushImage('admin/app', 'next');
  client.close();
  await registry.stop();
}

describe('what docs/upgrading.md backs up and restores', () => {
  let backup: Backup;
  beforeAll(async () => {
    backup = await backUp();
  }, 300_000);

  it.each(['owner', 'guest'] as const)(
    'is the registry as it was, in a new database of which it is %s',
    async (who) => {
      const database = await databaseOf(who);
      expect(await execute(LINES['pg_restore'], backup.directory, { DATABASE_URL: database.url })).toEqual(CLEAN);
      await isAsItWas(await restoredIn(database, backup), backup);
    },
  );

  it('is the registry as it was, in a database that has gone on, and again', async () => {
    const database = await databaseOf('owner');
    const setting = await restoredIn(database, backup);
    const other = await startRegistry({ like: setting, startTimeoutMs });
    const client = other.client.as('admin', backup.original.password);
    await client.pushImage('admin/other', 'v1');
    client.close();
    await other.stop();
    // What a newer version, a later month and another role have added.
    await database.query('CREATE VIEW newer AS SELECT * FROM users');
    await database.query(
      `CREATE TABLE audit_events_later PARTITION OF audit_events FOR VALUES FROM ('2199-01-01') TO ('2199-02-01')`,
    );
    const env = { DATABASE_URL: database.url };
    for (let round = 0; round < 2; round += 1) {
      expect(await execute(LINES['psql'], backup.directory, env)).toEqual(CLEAN);
      expect(await execute(LINES['pg_restore'], backup.directory, env)).toEqual(CLEAN);
    }
    await isAsItWas(setting, backup);
  });

  it('is all or nothing: into a database that is not empty nothing goes', async () => {
    const database = await databaseOf('owner');
    await database.query('CREATE TABLE users (mine text)');
    const { code } = await execute(LINES['pg_restore'], backup.directory, { DATABASE_URL: database.url });
    expect(code).toBe(1);
    expect(await database.query(`SELECT FROM pg_tables WHERE schemaname = 'public'`)).toHaveLength(1);
  });

  it('goes by the lines for Compose, too', async () => {
    const { hostname, port, password } = new URL(server.url);
    const env = { PGHOST: hostname, PGPORT: port, PGPASSWORD: 'of-the-role', PGDATABASE: 'aerugo' };
    const source = new URL(backup.original.databaseUrl ?? '').pathname.slice(1);
    const admin = { ...env, PGPASSWORD: password, PGUSER: 'postgres', PGDATABASE: 'postgres' };
    await backup.original.stop();
    const copy = `psql --command='CREATE DATABASE aerugo OWNER ${ROLE} TEMPLATE ${source}'`;
    expect(await execute(copy, backup.directory, admin)).toEqual(CLEAN);
    for (const program of ['pg_dump', 'psql', 'pg_restore'])
      expect(await execute(COMPOSE[program], scratchInside(backup.directory), env)).toEqual(CLEAN);
  });
});

/** A directory of its own, so that no line takes the dump of another. */
function scratchInside(directory: string): string {
  const own = path.join(directory, 'compose');
  mkdirSync(own, { recursive: true });
  return own;
}

it('the copy of DATA_DIR that docs/upgrading.md makes is the registry as it was', async () => {
  const original = await startEmbedded();
  const { digest } = await original.client.pushImage('admin/app', 'kept');
  await original.stop();
  const home = path.join(scratchDirectory('embedded'), 'home');
  mkdirSync(home);
  // The line is about `data`, where a start from the checkout keeps everything.
  renameSync(original.dataDir, path.join(home, 'data'));
  expect(await execute(LINES['cp'], home, {})).toEqual(CLEAN);
  rmSync(path.join(home, 'data'), { recursive: true });
  renameSync(path.join(home, 'data.backup'), original.dataDir);
  const restored = await startRegistry({ like: original, startTimeoutMs });
  await restored.client.getManifest('admin/app', 'kept').expect(200, { digest });
  await restored.client.pushImage('admin/app', 'next');
});
