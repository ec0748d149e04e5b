import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS, NODE_VARIABLES } from '../../scripts/install.mjs';
import { freshDatabase, type TestDatabase } from './postgres.js';
import { end, eventually, freePort, onFileEnd, scratchDirectory, start } from './processes.js';
import { startRedis } from './redis.js';
import { RegistryClient } from './registry-client.js';
import { freshBucket, type S3Bucket } from './s3.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILD = path.join(ROOT, 'dist');
/** Compiled code of the build and its packages, as `npm start` keeps it: a fifth of what a start costs. */
export const COMPILED = { NODE_COMPILE_CACHE: path.join(ROOT, '.cache', 'compiled') };
const ANY_PORT = '127.0.0.1:0';

export type StoreKind = 'filesystem' | 's3';

export interface RegistryOptions {
  /** Default: `TEST_STORE`, else `filesystem`. A bucket is one on a server that the test runs itself. */
  store?: StoreKind | S3Bucket;
  /**
   * `shared` (default): a fresh database on the run's PostgreSQL, so the registry is in production mode.
   * `embedded`: no DATABASE_URL; the registry starts the PostgreSQL of its own in its data directory.
   * A database is one on a server that the test runs itself.
   */
  database?: 'shared' | 'embedded' | TestDatabase;
  /** With a Redis of its own; default: when `TEST_REDIS` is `1`. A URL is one that the test runs itself. */
  redis?: boolean | string;
  /** Another node over the database, store and Redis of this one (or the same one started again). */
  like?: Setting;
  /** The registry's own variables; they win over everything above. */
  env?: Record<string, string>;
  /** Authorities in PEM, where the variables give it TLS. */
  ca?: string;
  startTimeoutMs?: number;
  /** The script and its arguments; default: what `npm start` runs. */
  program?: readonly string[];
  /** Another build than that of the checkout (`test/support/other-build.ts`). */
  build?: string;
}

export interface Registry {
  url: string;
  username: string;
  password: string;
  pid: number;
  dataDir: string;
  /** `null` with the embedded database. */
  databaseUrl: string | null;
  store: { type: StoreKind; bucket: S3Bucket | null };
  env: Record<string, string>;
  /** A client with the administrator's credentials; closed when the spec file ends. */
  client: RegistryClient;
  /** Everything that it has written to stdout and stderr. */
  logs: () => string;
  /** The JSON lines of the log, in order. */
  events: () => Record<string, unknown>[];
  /** SIGTERM, and waits for the end of its drain. */
  stop: () => Promise<void>;
  /** `kill -9`. */
  kill: () => Promise<void>;
  /** Resolves with the exit code, or the signal's name. */
  exited: Promise<number | string>;
}

/**
 * Runs the built registry as a process of its own on a free port of 127.0.0.1 and waits until it listens. It is ended,
 * with everything it uses, when the spec file ends.
 */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const main = path.join(options.build ?? BUILD, 'src', 'main.js');
  if (!existsSync(main)) throw new Error(`${main} is missing: "npm run build" first ("npm test" does it by itself)`);
  const setting = options.like ? settingLike(options.like, options) : await newSetting(options);
  const node = launch(await withPort(setting.env), options.program ?? [main]);
  // Registered after the database and the store, so it ends before them.
  onFileEnd(() => finish(node.child, setting));
  const url = await listening(node, options.startTimeoutMs ?? 60_000);

  const { username, password, ...rest } = setting;
  const client = new RegistryClient({ url, username, password, ca: options.ca });
  onFileEnd(() => {
    client.close();
    return Promise.resolve();
  });
  return {
    ...rest,
    url,
    username,
    password,
    client,
    pid: node.child.pid,
    exited: node.exited,
    logs: () => node.output.join(''),
    events: () => jsonLines(node.output.join('')),
    stop: () => end(node.child),
    kill: () => end(node.child, 'SIGKILL'),
  };
}

/** What nodes of one registry have in common. */
export type Setting = Pick<Registry, 'username' | 'password' | 'dataDir' | 'databaseUrl' | 'store' | 'env'>;

function settingLike(
  { username, password, dataDir, databaseUrl, store, env }: Setting,
  options: RegistryOptions,
): Setting {
  return { username, password, dataDir, databaseUrl, store, env: { ...env, ...options.env } };
}

/** For nodes that all start at once; `startRegistry` makes its own otherwise. */
export async function newSetting(options: RegistryOptions): Promise<Setting> {
  const store = options.store ?? (process.env['TEST_STORE'] === 's3' ? 's3' : 'filesystem');
  const redis = options.redis ?? process.env['TEST_REDIS'] === '1';
  const dataDir = scratchDirectory('registry');
  // The embedded database runs as another user, who has to reach its directory in here.
  chmodSync(dataDir, 0o755);
  const bucket = store === 's3' ? await freshBucket() : store === 'filesystem' ? null : store;
  const database = await databaseFor(options.database ?? 'shared');
  const [username, password] = ['admin', randomBytes(12).toString('hex')];
  const env: Record<string, string> = {
    DATA_DIR: dataDir,
    LISTEN_ADDRESS: ANY_PORT,
    ADMIN_USERNAME: username,
    ADMIN_PASSWORD: password,
    JWT_SECRET: randomBytes(32).toString('hex'),
    LOG_LEVEL: 'info',
    ...(database ? { DATABASE_URL: database.url } : {}),
    ...(bucket ? bucket.env : { STORAGE_TYPE: 'filesystem' }),
    ...(redis === false ? {} : { REDIS_URL: redis === true ? (await startRedis()).url : redis }),
    ...options.env,
  };
  return {
    username,
    password,
    dataDir,
    databaseUrl: database?.url ?? null,
    store: { type: bucket ? 's3' : 'filesystem', bucket },
    env,
  };
}

function databaseFor(wanted: 'shared' | 'embedded' | TestDatabase): Promise<TestDatabase | null> {
  if (typeof wanted === 'object') return Promise.resolve(wanted);
  return wanted === 'embedded' ? Promise.resolve(null) : freshDatabase();
}

/** A port that the primary of several workers draws is anybody's until the first of them has booted and listens. */
async function withPort(env: Record<string, string>): Promise<Record<string, string>> {
  const { LISTEN_ADDRESS, WORKERS = '1' } = env;
  return LISTEN_ADDRESS === ANY_PORT && WORKERS !== '1'
    ? { ...env, LISTEN_ADDRESS: `127.0.0.1:${await freePort()}` }
    : env;
}

interface Node {
  child: ChildProcess & { pid: number };
  output: string[];
  exited: Promise<number | string>;
}

function launch(env: Record<string, string>, program: readonly string[]): Node {
  // Nothing of the tester's own settings, and no config.toml of the checkout: what a test does not set is default.
  const { PATH = '', HOME = '/' } = process.env;
  const child = start(process.execPath, [...NODE_FLAGS, ...program], {
    cwd: env['DATA_DIR'] ?? ROOT,
    env: { PATH, HOME, NODE_ENV: 'test', ...COMPILED, ...NODE_VARIABLES, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => output.push(text));
  }
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(code ?? signal ?? -1);
    });
  });
  return { child, output, exited };
}

async function listening(node: Node, timeoutMs: number): Promise<string> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const line = jsonLines(node.output.join('')).find(({ event }) => event === 'listening');
    if (typeof line?.['url'] === 'string') return line['url'];
    const outcome = await Promise.race([node.exited, sleep(20, null)]);
    if (outcome !== null)
      throw new Error(`the registry ended with ${outcome} before it listened\n${node.output.join('')}`);
    if (Date.now() > deadline)
      throw new Error(`the registry did not listen in ${timeoutMs} ms\n${node.output.join('')}`);
  }
}

function jsonLines(text: string): Record<string, unknown>[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : [];
    } catch {
      return [];
    }
  });
}

/** Ends the registry and, after a `kill -9`, the embedded database that it left running. */
async function finish(child: ChildProcess, { dataDir }: Setting): Promise<void> {
  await end(child);
  for (const pid of embeddedDatabases(dataDir)) {
    process.kill(pid, 'SIGINT');
    await eventually(`the embedded database ${pid} ends`, () => !existsSync(`/proc/${pid}`));
  }
}

function embeddedDatabases(dataDir: string): number[] {
  if (!existsSync(dataDir)) return [];
  const files = readdirSync(dataDir, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => path.basename(file) === 'postmaster.pid')
    .map((file) => Number(readFileSync(path.join(dataDir, file), 'utf8').split('\n')[0]))
    .filter((pid) => existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dataDir));
}
