// once: its servers are its own
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { readFileSync, writeFileSync } from 'node:fs';
import pg from 'pg';
import { aerugo } from '../cli/cli.js';
import { databaseOn, type OwnPostgres, startPostgres } from '../support/postgres.js';
import { eventually } from '../support/processes.js';
import { startRegistry } from '../support/registry.js';
import { startToEnd } from './start-to-end.js';

jest.setTimeout(120_000);

const PASSWORD = 'correct-horse';
const SECRET = randomBytes(32).toString('hex');

let server: OwnPostgres;

beforeAll(async () => {
  server = await startPostgres();
  await ask(server.url, `CREATE ROLE guest LOGIN PASSWORD '${PASSWORD}'`);
  await ask(server.url, `CREATE ROLE crowded LOGIN PASSWORD '${PASSWORD}' CONNECTION LIMIT 0`);
  await ask(server.url, `CREATE ROLE outsider LOGIN PASSWORD '${PASSWORD}'`);
  const rules = path.join(server.dataDirectory, 'pg_hba.conf');
  writeFileSync(rules, `host all outsider all reject\n${readFileSync(rules, 'utf8')}`);
  await ask(server.url, 'SELECT pg_reload_conf()');
  await eventually('the rules are read', () =>
    ask(urlOf('outsider')).then(
      () => false,
      (error: unknown) => (error as { code?: string }).code === '28000',
    ),
  );
});

async function ask(url: string, text = 'SELECT 1'): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

function urlOf(user: string, database = 'postgres', password = PASSWORD): string {
  const url = new URL(server.url);
  Object.assign(url, { username: user, password, pathname: `/${database}` });
  return url.href;
}

/** A new database, as its owner, and its name. */
async function fresh(): Promise<{ url: string; name: string }> {
  const { url } = await databaseOn(server);
  return { url, name: new URL(url).pathname.slice(1) };
}

async function migrated(): Promise<{ url: string; name: string }> {
  const database = await fresh();
  expect((await aerugo(['migrate'], { env: { DATABASE_URL: database.url, JWT_SECRET: SECRET } })).code).toBe(0);
  return database;
}

const MISTAKES: readonly (readonly [string, () => Promise<string> | string, RegExp])[] = [
  [
    'no right to create in the schema public, as PostgreSQL 15 has it',
    async () => urlOf('guest', (await fresh()).name),
    /permission denied for schema public.*as its owner: GRANT USAGE, CREATE ON SCHEMA public TO "guest"$/,
  ],
  [
    'no right to see the schema public',
    async () => {
      const { url, name } = await fresh();
      await ask(url, 'REVOKE ALL ON SCHEMA public FROM PUBLIC');
      return urlOf('guest', name);
    },
    /GRANT USAGE, CREATE ON SCHEMA public TO "guest"$/,
  ],
  [
    'tables that belong to another user',
    async () => urlOf('guest', (await migrated()).name),
    /permission denied for table \w+.*GRANT ALL ON ALL TABLES IN SCHEMA public TO "guest"/,
  ],
  [
    'an encoding other than UTF-8',
    async () => {
      const name = `latin_${randomBytes(4).toString('hex')}`;
      await ask(server.url, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`);
      return urlOf('postgres', name, new URL(server.url).password);
    },
    /encoding LATIN1 and must have UTF8: make one with CREATE DATABASE "latin_\w+" TEMPLATE template0 ENCODING 'UTF8'/,
  ],
  [
    'no connection left for the role',
    () => urlOf('crowded'),
    /no more connections in: .*CONNECTION LIMIT.*role "crowded"/,
  ],
  ['a wrong password', () => urlOf('guest', 'postgres', 'hunter22'), /user name or password is wrong/],
  ['no password', () => urlOf('guest', 'postgres', ''), /asks for a password and there is none/],
  ['an unknown database', () => urlOf('guest', 'nowhere'), /\/nowhere cannot be used: it does not exist: create it/],
  ['a rule of pg_hba.conf', () => urlOf('outsider'), /does not let this user in from here: .*pg_hba\.conf.*"outsider"/],
  [
    'a database that takes no writes',
    async () => {
      const { url, name } = await fresh();
      await ask(server.url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
      return url;
    },
    /takes no writes: name the primary/,
  ],
  [
    'an authority that is in no file',
    async () => `${(await fresh()).url}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem`,
    /a file that DATABASE_URL names is not there: correct sslrootcert/,
  ],
];

describe.each(MISTAKES)('%s', (_, prepare, advice) => {
  let env: Record<string, string>;

  beforeAll(async () => {
    env = { DATABASE_URL: await prepare(), JWT_SECRET: SECRET, ADMIN_PASSWORD: 'long-enough-for-it' };
  });

  it('ends a start with one line that says what to do', async () => {
    const { code, stderr } = await startToEnd(env).ended;
    expect(stderr).toMatch(/^Aerugo cannot start: [^\n]*\n$/);
    expect(stderr.trim().replace('Aerugo cannot start: ', '')).toMatch(advice);
    expect(stderr).not.toMatch(new RegExp(`hunter22|${PASSWORD}`));
    expect(code).toBe(1);
  });
});

describe('the migration by itself', () => {
  it.each([
    ['DATABASE_URL', (url: string) => ({ DATABASE_URL: url })],
    ['DATABASE_DIRECT_URL', (url: string) => ({ DATABASE_URL: server.url, DATABASE_DIRECT_URL: url })],
  ])('says in one line what to grant, with %s', async (_, variables) => {
    const url = urlOf('guest', (await fresh()).name);
    const { code, stderr } = await aerugo(['migrate'], { env: { JWT_SECRET: SECRET, ...variables(url) } });
    expect(stderr).toMatch(/^[^\n]*GRANT USAGE, CREATE ON SCHEMA public TO "guest"\n$/);
    expect(code).not.toBe(0);
  });
});

describe('sslmode=prefer and allow, as libpq has them', () => {
  it.each(['prefer', 'allow'])('%s goes on without TLS where the server has none', async (mode) => {
    const { url } = await fresh();
    const registry = await startRegistry({ env: { DATABASE_URL: `${url}?sslmode=${mode}` } });
    await registry.client.pushImage('admin/app', 'v1');
    expect(registry.logs()).not.toContain('SECURITY WARNING');
  });
});
