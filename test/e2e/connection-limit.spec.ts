// once: its servers are its own
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { startPgBouncer } from '../support/pgbouncer.js';
import { databaseOn, type OwnPostgres, startPostgres } from '../support/postgres.js';
import { eventually } from '../support/processes.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { digestOf } from '../support/content.js';

jest.setTimeout(180_000);

const LIMIT = 3;
const POOL = '10';
const AT_ONCE = 40;
const PASSWORD = 'correct-horse';

let server: OwnPostgres;

beforeAll(async () => {
  server = await startPostgres();
});

async function ask(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

/** A database of a role that may have `LIMIT` connections. */
async function limited(): Promise<{ url: string; role: string }> {
  const role = `role_${randomBytes(4).toString('hex')}`;
  const { url } = await databaseOn(server);
  await ask(url, `CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}' CONNECTION LIMIT ${LIMIT}`);
  await ask(url, `GRANT USAGE, CREATE ON SCHEMA public TO ${role}`);
  const own = new URL(url);
  Object.assign(own, { username: role, password: PASSWORD });
  return { url: own.href, role };
}

/** What each of many pushes at once was answered. */
function pushMany({ client }: Registry): Promise<number[]> {
  return Promise.all(
    Array.from({ length: AT_ONCE }, async (_, at) => {
      const bytes = randomBytes(2_000);
      const started = await client.request('POST', `/v2/admin/app-${at}/blobs/uploads/?digest=${digestOf(bytes)}`, {
        body: bytes,
        headers: { 'content-type': 'application/octet-stream' },
      });
      return started.status;
    }),
  );
}

describe(`a role with ${LIMIT} connections, and a pool of ${POOL}`, () => {
  it('serves many requests at once over those, and says so once', async () => {
    const { url } = await limited();
    const registry = await startRegistry({ env: { DATABASE_URL: url, DATABASE_MAX_CONNECTIONS: POOL } });
    expect(new Set(await pushMany(registry))).toEqual(new Set([201]));
    expect(new Set(await pushMany(registry))).toEqual(new Set([201]));
    const said = registry.events().filter(({ event }) => event === 'database.limit');
    expect(said).toHaveLength(1);
    // The server may still count one that the start has closed, such as that of the migrations.
    expect([LIMIT - 1, LIMIT]).toContain(said[0]?.['connections']);
    await registry.client.raw('GET', '/readyz').expect(200);
  });

  it('uses more as soon as it may', async () => {
    const { url, role } = await limited();
    const registry = await startRegistry({ env: { DATABASE_URL: url, DATABASE_MAX_CONNECTIONS: POOL } });
    expect(new Set(await pushMany(registry))).toEqual(new Set([201]));
    await ask(server.url, `ALTER ROLE ${role} CONNECTION LIMIT 20`);
    const observer = new pg.Client({ connectionString: server.url });
    await observer.connect();
    await eventually(
      'more connections than before',
      async () => {
        await pushMany(registry);
        const { rows } = await observer.query('SELECT FROM pg_stat_activity WHERE usename = $1', [role]);
        return rows.length > LIMIT;
      },
      60_000,
    );
    await observer.end();
  });

  it('serves them with two workers', async () => {
    const { url } = await limited();
    const env = { DATABASE_URL: url, DATABASE_MAX_CONNECTIONS: POOL, WORKERS: '2' };
    const registry = await startRegistry({ env });
    expect((await pushMany(registry)).filter((status) => status !== 201 && status !== 503)).toEqual([]);
  });

  it('serves them through PgBouncer, whose pool is larger too', async () => {
    const { url } = await limited();
    const pooler = await startPgBouncer(url, Number(POOL));
    const env = { DATABASE_URL: pooler.through(url), DATABASE_MAX_CONNECTIONS: POOL };
    const registry = await startRegistry({ env });
    expect(new Set(await pushMany(registry))).toEqual(new Set([201]));
    expect(new Set(await pushMany(registry))).toEqual(new Set([201]));
  });

  it('serves them through a PgBouncer that takes no more clients either', async () => {
    const { url } = await databaseOn(server);
    const pooler = await startPgBouncer(url, Number(POOL), LIMIT);
    const env = { DATABASE_URL: pooler.through(url), DATABASE_MAX_CONNECTIONS: POOL };
    const registry = await startRegistry({ env });
    expect(new Set(await pushMany(registry))).toEqual(new Set([201]));
    expect(registry.events().filter(({ event }) => event === 'database.limit')).toHaveLength(1);
  });
});

describe('a start that finds no connection left', () => {
  it('waits until there is one', async () => {
    const { url } = await limited();
    const others = Array.from({ length: LIMIT }, () => new pg.Client({ connectionString: url }));
    await Promise.all(others.map((other) => other.connect()));
    const starting = startRegistry({ env: { DATABASE_URL: url, DATABASE_MAX_CONNECTIONS: POOL } });
    starting.catch(() => undefined);
    const waits = new pg.Client({ connectionString: server.url });
    await waits.connect();
    // A refused start shows nowhere but in the server; that it still waits is what the end of this test proves.
    await eventually('the node has been refused', async () => {
      const { rows } = await waits.query<{ count: number }>(
        'SELECT sessions::int AS count FROM pg_stat_database WHERE datname = $1',
        [new URL(url).pathname.slice(1)],
      );
      return (rows[0]?.count ?? 0) > LIMIT;
    });
    await waits.end();
    await Promise.all(others.map((other) => other.end()));
    const registry = await starting;
    await registry.client.pushImage('admin/app', 'v1');
  });
});
