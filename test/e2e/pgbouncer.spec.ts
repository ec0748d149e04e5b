// once: neither a store nor a Redis knows of connections to the database
import { beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { signUp } from '../conformance/world.js';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../src/database/data-source-options.js';
import { isLockTimeout, isOutage } from '../../src/http/errors/failure-causes.js';
import { digestOf } from '../support/content.js';
import { startPgBouncer, type Pooler } from '../support/pgbouncer.js';
import { freshDatabase, type TestDatabase } from '../support/postgres.js';
import { eventually } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { newSetting, type Registry, startRegistry } from '../support/registry.js';

/** Fewer than the nodes could open, and fewer than there are nodes that start at once. */
const POOL_SIZE = 4;
const NODES = 5;

let database: TestDatabase;
let pooler: Pooler;

beforeAll(async () => {
  database = await freshDatabase();
  pooler = await startPgBouncer(database.url, POOL_SIZE);
}, 60_000);

describe(`${NODES} nodes behind PgBouncer in transaction mode, with ${POOL_SIZE} connections for all of them`, () => {
  let nodes: Registry[];

  beforeAll(async () => {
    const env = { DATABASE_URL: pooler.through(database.url) };
    const like = await newSetting({ env });
    nodes = await Promise.all(Array.from({ length: NODES }, () => startRegistry({ like })));
  }, 120_000);

  it('migrate an empty database through it, once', async () => {
    const rows = await database.query<{ name: string }>('SELECT name FROM migrations');
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(0);
  });

  it('serve pushes, pulls, tags and permissions, each request at another node', async () => {
    const clientAt = (at: number): RegistryClient => (nodes[at % NODES] as Registry).client;
    const owner = await signUp(clientAt(0), 'owner');
    const stranger = await signUp(clientAt(0), 'stranger');
    const as = ({ options: { username = '', password = '' } }: RegistryClient, at: number) =>
      clientAt(at).as(username, password);
    await Promise.all(
      Array.from({ length: 20 }, async (_, round) => {
        const repository = `owner/app-${round}`;
        const bytes = randomBytes(3_000);
        const chunked = await as(owner, round).startUpload(repository);
        await chunked.patch('0-999', bytes.subarray(0, 1_000)).expect(202);
        const elsewhere = as(owner, round + 1).uploadAt(repository, chunked.location);
        await elsewhere.patch('1000-2999', bytes.subarray(1_000)).expect(202);
        await elsewhere.put(digestOf(bytes)).expect(201);
        await as(owner, round + 2).pushImage(repository, 'v1');
        await as(owner, round + 3)
          .getManifest(repository, 'v1')
          .expect(200);
        await as(owner, round + 4)
          .listTags(repository)
          .expect(200);
        await as(stranger, round).getManifest(repository, 'v1').expect(404);
      }),
    );
  }, 60_000);

  it('leave no statement and no transaction behind', async () => {
    // The nodes' own work has transactions all the time, which end: one that was left behind would never.
    const [since] = await database.query<{ now: string }>('SELECT now()::text AS now');
    await eventually('every transaction of before has ended', async () => {
      const left = await database.query(
        `SELECT FROM pg_stat_activity
         WHERE datname = current_database() AND state LIKE 'idle in%' AND xact_start < $1`,
        [since?.now],
      );
      return left.length === 0;
    });
    for (const node of nodes) expect(node.logs()).not.toMatch(/"level":50|prepared statement/);
  });
});

describe('a pool of connections that leads to a pooler', () => {
  it('has the limits of its statements in each transaction all the same', async () => {
    await database.query('CREATE TABLE held (id int)');
    await database.query('INSERT INTO held VALUES (1)');
    const url = pooler.through(database.url);
    const settings = { url, embedded: false, directUrl: null, maxConnections: 3 };
    const limits = { statementMs: 400, lockMs: 200 };
    const source = await new DataSource(dataSourceOptions(settings, { limits })).initialize();
    try {
      await source.transaction(async (holder) => {
        await holder.query('SELECT * FROM held FOR UPDATE');
        const waiting = source.transaction((other) => other.query('SELECT * FROM held FOR UPDATE'));
        expect(isLockTimeout(await waiting.catch((failure: unknown) => failure))).toBe(true);
      });
      const slow = source.transaction((manager) => manager.query('SELECT pg_sleep($1)', [5]));
      expect(isOutage(await slow.catch((failure: unknown) => failure))).toBe(true);
      // Nothing of that is left on the pooler's own connections.
      expect(await source.query('SHOW statement_timeout')).toEqual([{ statement_timeout: '0' }]);
    } finally {
      await source.destroy();
    }
  });
});
