import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type * as InstallScript from '../scripts/install.mjs';
import { root as ownRoot } from '../scripts/install.mjs';
import { HttpClient } from './http-client.ts';

/** A registry under measurement. */
export interface Target {
  readonly name: string;
  readonly url: string;
  readonly repository: string;
  /** The value of the header; `null` where the registry asks for none. */
  authorization(): Promise<string | null>;
  client(connections: number): Promise<HttpClient>;
  stop(): Promise<void>;
}

/** A registry whose processes this program has started. */
export interface OwnTarget extends Target {
  /** The roots of its process trees. */
  processes(): number[];
}

const ADMIN = 'admin';
const PASSWORD = 'a-password-for-this-run-only';
const START_MS = 60_000;

/** The build in a checkout as its `npm start` runs it: embedded PostgreSQL, filesystem, authentication on. */
export async function startAerugo({ name = 'aerugo', root = ownRoot } = {}): Promise<OwnTarget> {
  const { NODE_FLAGS, NODE_VARIABLES } = (await import(
    pathToFileURL(path.join(root, 'scripts/install.mjs')).href
  )) as typeof InstallScript;
  const directory = await scratch(name);
  chmodSync(directory, 0o755); // the embedded database runs as another user
  const port = await freePort();
  const dataDir = path.join(directory, 'data');
  const env = {
    ...process.env,
    ...NODE_VARIABLES,
    DATA_DIR: dataDir,
    LISTEN_ADDRESS: `127.0.0.1:${port}`,
    ADMIN_USERNAME: ADMIN,
    ADMIN_PASSWORD: PASSWORD,
    RATE_LIMIT_USER: '0', // one user stands for thousands here
    RATE_LIMIT_ADDRESS: '0',
    RATE_LIMIT_TOKEN: '0',
  };
  const child = spawn(process.execPath, [...NODE_FLAGS, path.join(root, 'dist/src/main.js')], {
    cwd: directory,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true, // Ctrl-C in a terminal reaches only this program, which stops what it has started
  });
  const target = await started(name, `http://127.0.0.1:${port}`, `${ADMIN}/bench`, child, directory, aerugoToken);
  return { ...target, processes: () => [child.pid ?? NaN, postmaster(dataDir)] };
}

/** The embedded database is in a process group of its own, and need not be a child for ever. */
function postmaster(dataDir: string): number {
  return Number.parseInt(readFileSync(path.join(dataDir, 'database/cluster/postmaster.pid'), 'utf8'), 10);
}

/** Debian's docker-registry: filesystem, no authentication, its own defaults otherwise. */
export async function startDockerRegistry(): Promise<Target> {
  const directory = await scratch('docker-registry');
  const port = await freePort();
  const config = path.join(directory, 'config.yml');
  const lines = [
    'version: 0.1',
    'log: { accesslog: { disabled: true }, level: error }',
    `storage: { filesystem: { rootdirectory: ${path.join(directory, 'data')} }, cache: { blobdescriptor: inmemory } }`,
    `http: { addr: "127.0.0.1:${port}", headers: { X-Content-Type-Options: [nosniff] } }`,
  ];
  writeFileSync(config, lines.join('\n'));
  mkdirSync(path.join(directory, 'data'));
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'ignore', 'ignore'], detached: true });
  return started('docker-registry', `http://127.0.0.1:${port}`, 'admin/bench', child, directory, null);
}

/** Any other registry that runs already; `user:password@` in the URL is sent as Basic. */
export function peer(name: string, address: string): Target {
  const { origin, username, password } = new URL(address);
  const basic = username === '' ? null : `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return target(
    name,
    origin,
    'admin/bench',
    () => Promise.resolve(basic),
    () => Promise.resolve(),
  );
}

async function started(
  name: string,
  url: string,
  repository: string,
  child: ChildProcess,
  directory: string,
  token: ((url: string, repository: string) => Promise<string>) | null,
): Promise<Target> {
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await answering(name, url, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return target(name, url, repository, () => token?.(url, repository) ?? Promise.resolve(null), stop);
}

function target(
  name: string,
  url: string,
  repository: string,
  authorization: () => Promise<string | null>,
  stop: () => Promise<void>,
): Target {
  const client = async (connections: number) => new HttpClient(url, await authorization(), connections);
  return { name, url, repository, authorization, client, stop };
}

async function aerugoToken(url: string, repository: string): Promise<string> {
  const query = new URLSearchParams({ service: 'aerugo', scope: `repository:${repository}:pull,push` });
  const basic = `Basic ${Buffer.from(`${ADMIN}:${PASSWORD}`).toString('base64')}`;
  const answer = await fetch(`${url}/api/v1/auth/token?${query.toString()}`, { headers: { authorization: basic } });
  const { token } = (await answer.json()) as { token: string };
  return `Bearer ${token}`;
}

async function answering(name: string, url: string, child: ChildProcess): Promise<void> {
  const end = Date.now() + START_MS;
  while (Date.now() < end && child.exitCode === null) {
    const answer = await fetch(`${url}/v2/`).catch(() => null);
    if (answer) return;
    await sleep(100);
  }
  throw new Error(`${name} did not start`);
}

function scratch(name: string): Promise<string> {
  return mkdtemp(path.join(tmpdir(), `bench-${name}-`));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
