// needs: mount
// once: its stores are its own
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { answerXml, type S3Proxy, startProxy } from '../contracts/s3-proxy.js';
import { databaseOn, type OwnPostgres, startPostgres, type TestDatabase } from '../support/postgres.js';
import { eventually, onFileEnd, run, scratchDirectory } from '../support/processes.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { freshBucket } from '../support/s3.js';

jest.setTimeout(180_000);

const VOLUME_BYTES = 8 * 2 ** 20;

interface Seen {
  readonly status: string;
  readonly checks: Record<string, string>;
  readonly writes: Record<string, string>;
}

async function healthOf({ client }: Registry): Promise<Seen & { code: number }> {
  const reply = await client.raw('GET', '/api/v1/health');
  return { code: reply.status, ...reply.json<Seen>() };
}

/** Health as it becomes, what a balancer is told meanwhile, and that pulls go on. */
async function becomes(registry: Registry, expected: Partial<Seen>): Promise<void> {
  await eventually(
    JSON.stringify(expected),
    async () => {
      const { status, writes } = await healthOf(registry);
      return status === expected.status && JSON.stringify(writes) === JSON.stringify(expected.writes);
    },
    30_000,
    200,
  );
  expect((await healthOf(registry)).code).toBe(200);
  await registry.client.raw('GET', '/readyz').expect(200);
  await registry.client.getManifest('admin/before', 'v1').expect(200);
}

async function pushFails(registry: Registry): Promise<void> {
  const started = await registry.client.request('POST', '/v2/admin/after/blobs/uploads/');
  if (started.status === 503) return;
  const body = randomBytes(2_000_000);
  const reply = await registry.client.request('PATCH', String(started.headers['location']), {
    body,
    headers: { 'content-type': 'application/octet-stream' },
  });
  expect(reply.status).toBe(503);
}

async function metric(registry: Registry, name: string): Promise<number | undefined> {
  const { url } = registry.events().find(({ event }) => event === 'metrics') as { url: string };
  const text = await (await fetch(url)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

const LOGIN = ({ username, password }: Registry) => ({
  body: JSON.stringify({ username, password }),
  headers: { 'content-type': 'application/json' },
});
async function elsewhere(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(text).finally(() => client.end());
}

const METRICS = { METRICS_LISTEN_ADDRESS: '127.0.0.1:0' };
const GOOD = { status: 'ok', writes: { database: 'ok', store: 'ok' } };

describe('a volume for blobs', () => {
  let directory: string;
  let registry: Registry;

  beforeAll(async () => {
    directory = scratchDirectory('volume');
    await run('mount', ['-t', 'tmpfs', '-o', `size=${VOLUME_BYTES}`, 'tmpfs', directory]);
    onFileEnd(async () => {
      await run('umount', ['-l', directory]);
    });
    registry = await startRegistry({ store: 'filesystem', env: { ...METRICS, DATA_DIR: directory } });
    await registry.client.pushImage('admin/before', 'v1');
  });

  it('that is full makes health degraded, with the reason, until there is room', async () => {
    await becomes(registry, GOOD);
    expect(await metric(registry, 'aerugo_store_size_bytes')).toBe(VOLUME_BYTES);
    expect(await metric(registry, 'aerugo_store_free_bytes')).toBeLessThan(VOLUME_BYTES);
    const filler = path.join(directory, 'filler');
    expect(() => {
      writeFileSync(filler, Buffer.alloc(VOLUME_BYTES));
    }).toThrow('ENOSPC');
    await pushFails(registry);
    await becomes(registry, { status: 'degraded', writes: { database: 'ok', store: 'full' } });
    expect(await metric(registry, 'aerugo_writes_succeed{dependency="store"}')).toBe(0);
    expect(await metric(registry, 'aerugo_write_failures_total{dependency="store",reason="full"}')).toBeGreaterThan(0);
    rmSync(filler);
    await becomes(registry, GOOD);
    await registry.client.pushImage('admin/again', 'v1');
    const said = registry.events().filter(({ event }) => String(event).startsWith('writes.'));
    expect(said.map(({ event, reason }) => [event, reason])).toEqual([
      ['writes.fail', 'full'],
      ['writes.succeed', undefined],
    ]);
  });

  it('that has become read-only makes health degraded', async () => {
    await run('mount', ['-o', 'remount,ro', directory]);
    await pushFails(registry);
    await becomes(registry, { status: 'degraded', writes: { database: 'ok', store: 'read-only' } });
    await run('mount', ['-o', 'remount,rw', directory]);
    await becomes(registry, GOOD);
  });

  it('has nothing left of the checks', () => {
    expect(readdirSync(path.join(directory, 'blobs')).filter((name) => name.includes('check'))).toEqual([]);
  });
});

describe('a bucket', () => {
  let proxy: S3Proxy;
  let registry: Registry;

  beforeAll(async () => {
    const bucket = await freshBucket();
    proxy = await startProxy(bucket.endpoint);
    onFileEnd(() => proxy.close());
    const env = { ...METRICS, ...bucket.env, S3_ENDPOINT: proxy.endpoint, STORAGE_REDIRECT: 'false' };
    registry = await startRegistry({ store: bucket, env });
    await registry.client.pushImage('admin/before', 'v1');
  });

  afterEach(() => {
    proxy.fault = null;
  });

  it.each([
    [403, 'AccessDenied', 'denied'],
    [507, 'InsufficientStorage', 'full'],
    [403, 'QuotaExceeded', 'full'],
  ])('that answers a PUT with %i %s is reported as %s', async (status, code, reason) => {
    await becomes(registry, GOOD);
    proxy.fault = ({ call }, reply) => call.startsWith('PUT') && answerXml(reply, status, code);
    await pushFails(registry).catch(() => undefined); // what one node answers is not what this is about
    await becomes(registry, { status: 'degraded', writes: { database: 'ok', store: reason } });
    expect(await metric(registry, 'aerugo_writes_succeed{dependency="store"}')).toBe(0);
    proxy.fault = null;
    await becomes(registry, GOOD);
  });

  it('is not asked more often the more often health is', async () => {
    await becomes(registry, GOOD);
    const before = proxy.calls.filter(({ call }) => call === 'PUT').length;
    for (let times = 0; times < 30; times++)
      await Promise.all([healthOf(registry), registry.client.raw('GET', '/readyz')]);
    expect(proxy.calls.filter(({ call }) => call === 'PUT').length - before).toBeLessThanOrEqual(1);
  });
});

describe('a database', () => {
  let postgres: OwnPostgres;
  let database: TestDatabase;
  let registry: Registry;

  beforeAll(async () => {
    postgres = await startPostgres();
    database = await databaseOn(postgres);
    registry = await startRegistry({ database, env: METRICS });
    await registry.client.pushImage('admin/before', 'v1');
  });

  it('that takes no writes makes health degraded, and pulls go on', async () => {
    await becomes(registry, GOOD);
    const name = new URL(database.url).pathname.slice(1);
    const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}' AND pid <> pg_backend_pid()`;
    await database.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await database.query(cut);
    await registry.client.raw('POST', '/api/v1/auth/token', LOGIN(registry)).expect(503);
    await becomes(registry, { status: 'degraded', writes: { database: 'read-only', store: 'ok' } });
    expect(await metric(registry, 'aerugo_writes_succeed{dependency="database"}')).toBe(0);
    await elsewhere(postgres.url, `ALTER DATABASE ${name} RESET default_transaction_read_only`);
    await becomes(registry, GOOD);
  });
});
