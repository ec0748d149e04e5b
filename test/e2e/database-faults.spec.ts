// once: test/cluster/faults.spec.ts has the same faults on S3, with Redis and PostgreSQL 15
import { beforeAll, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Load } from '../cluster/load.js';
import { verify } from '../cluster/verify.js';
import { databaseOn, type OwnPostgres, startPostgres, type TestDatabase } from '../support/postgres.js';
import { eventually } from '../support/processes.js';
import { type Registry, startRegistry } from '../support/registry.js';

const CONNECTIONS = 5;
const ANSWER_MS = 15_000;
const LOAD_SECONDS = 25;
const IMAGES = 30;
const OTHERS = `FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;

let postgres: OwnPostgres;
let database: TestDatabase;
let registry: Registry;

beforeAll(async () => {
  postgres = await startPostgres();
  database = await databaseOn(postgres);
  registry = await startRegistry({ database, env: { DATABASE_MAX_CONNECTIONS: String(CONNECTIONS) } });
}, 120_000);

const FAULTS: readonly [string, () => Promise<void>][] = [
  ['every connection is cut, again and again', cutConnections],
  ['the server crashes', () => postgres.crash()],
  ['the server hangs', hang],
  ['the server takes no writes', refuseWrites],
];

it('a node answers each request through every fault of its database, loses nothing, and recovers by itself', async () => {
  const credentials = { username: registry.username, password: registry.password };
  const options = { url: registry.url, credentials, clients: 6, images: IMAGES, largestLayer: 2 ** 20 };
  const load = new Load({ ...options, seconds: LOAD_SECONDS, name: 'faults' });
  const running = load.run();
  const striking = (async () => {
    for (const [name, happen] of FAULTS) {
      await sleep(500);
      await happen();
      await eventually(`ready after: ${name}`, isReady, ANSWER_MS, 100);
      const [open] = await database.query<{ count: number }>(`SELECT count(*)::integer AS count ${OTHERS}`);
      expect({ name, within: (open?.count ?? 0) <= CONNECTIONS + 1 }).toEqual({ name, within: true }); // one asks after the others
    }
  })();
  await Promise.all([running, striking]);
  const { lost, corrupt, checked } = await verify({ nodes: [registry], credentials }, load.acknowledged);
  const { log } = load;
  process.stderr.write(
    `  ${load.acknowledged.images.length} images, ${load.pulls} pulls, ${log.requests} requests, failed: ${log.failed}, ` +
      `latest after ${Math.round(log.longestFailureMs)} ms, ${checked} checks\n`,
  );
  expect({ lost, corrupt, unclean: log.unclean }).toEqual({ lost: [], corrupt: [], unclean: [] });
  expect(log.longestFailureMs).toBeLessThan(ANSWER_MS);
  expect(log.failures.get('503')).toBeGreaterThan(0);
  expect(registry.events().filter(({ level }) => level === 60)).toEqual([]);
}, 180_000);

async function isReady(): Promise<boolean> {
  const { status } = await registry.client.raw('GET', '/readyz');
  return status === 200;
}

async function cutConnections(): Promise<void> {
  for (let round = 0; round < 15; round++) {
    await cutAll();
    await sleep(200);
  }
}

function cutAll(): Promise<void> {
  return elsewhere(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${databaseName()}'`);
}

function databaseName(): string {
  return new URL(database.url).pathname.slice(1);
}

/** Connections are accepted and nothing is answered. */
async function hang(): Promise<void> {
  const all = [postgres.pid, ...childrenOf(postgres.pid)];
  for (const pid of all) signal(pid, 'SIGSTOP');
  await sleep(6_000).finally(() => {
    for (const pid of all) signal(pid, 'SIGCONT');
  });
}

/** As a primary that has become a standby answers: 25006. */
async function refuseWrites(): Promise<void> {
  const name = databaseName();
  await elsewhere(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  await cutAll();
  await sleep(2_000);
  // The node throws away each connection on which a write was refused, so nobody has to end them.
  await elsewhere(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
}

/** One statement in the server's other database. */
async function elsewhere(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === parent)
    .map(Number);
}

function parentOf(pid: string): number | null {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return null; // it has ended meanwhile
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it has ended meanwhile
  }
}
