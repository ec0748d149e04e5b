import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type * as InstallScript from '../scripts/install.mjs';

const HELP = `node bench/files-entered.ts [checkout] [--files]

In how many files of src a request enters, by V8's coverage of a built checkout (default: this one; it must have a
dist folder): embedded PostgreSQL, filesystem, authentication on. A file counts when each repetition of the request
called one of its functions, so timers of the background do not. --files lists them.
`;

const ADMIN = 'admin';
const PASSWORD = 'a-password-for-this-run-only';
const REPOSITORY = `${ADMIN}/files`;
const REPETITIONS = 5;
/** Work after the answer: the access log, the audit log, cleaning up. */
const AFTER_MS = 300;

interface Profile {
  result: { url: string; functions: { functionName: string; ranges: { count: number }[] }[] }[];
}

type Call = (method: string, params?: object) => Promise<unknown>;

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) {
    process.stdout.write(HELP);
    return;
  }
  const checkout = path.resolve(args.find((arg) => !arg.startsWith('--')) ?? path.join(import.meta.dirname, '..'));
  const directory = mkdtempSync(path.join(tmpdir(), 'files-entered-'));
  chmodSync(directory, 0o755); // the embedded database runs as another user
  const server = await start(checkout, directory);
  try {
    const inspector = await inspect(await addressesOf(server));
    await measure(inspector, path.join(checkout, 'dist/src'), args.includes('--files'));
    inspector.close(); // a server that is debugged does not exit
  } finally {
    server.kill('SIGTERM');
    const late = setTimeout(() => server.kill('SIGKILL'), 30_000);
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    clearTimeout(late);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function start(checkout: string, directory: string): Promise<ChildProcess> {
  const { NODE_FLAGS, NODE_VARIABLES } = (await import(
    pathToFileURL(path.join(checkout, 'scripts/install.mjs')).href
  )) as typeof InstallScript;
  const flags = [...NODE_FLAGS, '--inspect=127.0.0.1:0', path.join(checkout, 'dist/src/main.js')];
  const env = {
    ...process.env,
    ...NODE_VARIABLES,
    DATA_DIR: path.join(directory, 'data'),
    LISTEN_ADDRESS: '127.0.0.1:0',
    LOG_FORMAT: 'json',
    ADMIN_USERNAME: ADMIN,
    ADMIN_PASSWORD: PASSWORD,
  };
  return spawn(process.execPath, flags, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
}

interface Addresses {
  readonly inspector: string;
  readonly registry: string;
}

/** Where the inspector and the registry listen: both say so once. */
async function addressesOf({ stdout, stderr }: ChildProcess): Promise<Addresses> {
  const found = { inspector: '', registry: '' };
  const { promise, resolve } = Promise.withResolvers<undefined>();
  for (const stream of [stdout, stderr]) {
    if (!stream) continue;
    createInterface(stream).on('line', (line) => {
      found.inspector ||= /ws:\/\/\S+/.exec(line)?.[0] ?? '';
      found.registry ||= /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(line)?.[0] ?? '';
      if (found.inspector && found.registry) resolve(undefined);
    });
  }
  await Promise.race([promise, sleep(60_000).then(() => Promise.reject(new Error('the registry did not start')))]);
  return found;
}

async function inspect({
  inspector,
  registry,
}: Addresses): Promise<{ call: Call; registry: string; close: () => void }> {
  const socket = new WebSocket(inspector);
  await once(socket, 'open');
  const waiting = new Map<number, (result: unknown) => void>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id: number; result: unknown };
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  let last = 0;
  const call: Call = (method, params = {}) => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    waiting.set(++last, resolve);
    socket.send(JSON.stringify({ id: last, method, params }));
    return promise;
  };
  await call('Profiler.enable');
  await call('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  const close = (): void => {
    socket.close();
  };
  return { call, registry, close };
}

async function measure(
  { call, registry }: { call: Call; registry: string },
  sources: string,
  isListed: boolean,
): Promise<void> {
  const prefix = `${pathToFileURL(sources).href}/`;
  for (const [name, request] of Object.entries(await requestsOf(registry))) {
    for (let count = 0; count < 3; count++) await request(); // warm
    let files: string[] | null = null;
    for (let count = 0; count < REPETITIONS; count++) {
      await sleep(AFTER_MS);
      await call('Profiler.takePreciseCoverage'); // which sets the counts back
      await request();
      await sleep(AFTER_MS);
      const entered = enteredIn((await call('Profiler.takePreciseCoverage')) as Profile, prefix);
      files = [...(files ?? entered)].filter((file) => entered.has(file));
    }
    process.stdout.write(`${String(files?.length ?? 0).padStart(4)}  ${name}\n`);
    if (isListed) for (const file of (files ?? []).sort()) process.stdout.write(`        ${file}\n`);
  }
}

function enteredIn({ result }: Profile, prefix: string): Set<string> {
  const scripts = result.filter(({ url }) => url.startsWith(prefix));
  const entered = scripts.filter(({ functions }) => functions.some(({ ranges }) => (ranges[0]?.count ?? 0) > 0));
  return new Set(entered.map(({ url }) => url.slice(prefix.length)));
}

/** What is measured, by name. */
async function requestsOf(registry: string): Promise<Record<string, () => Promise<void>>> {
  const basic = `Basic ${Buffer.from(`${ADMIN}:${PASSWORD}`).toString('base64')}`;
  const scope = new URLSearchParams({ service: 'aerugo', scope: `repository:${REPOSITORY}:pull,push` });
  const { token } = (await (
    await send(`${registry}/api/v1/auth/token?${scope.toString()}`, { headers: { authorization: basic } }, 200)
  ).json()) as { token: string };
  const authorization = `Bearer ${token}`;
  const v2 = `${registry}/v2/${REPOSITORY}`;
  const push = (bytes: Buffer) => pushBlob(v2, registry, authorization, bytes);
  const config = Buffer.from('{}');
  const layer = randomBytes(3_000);
  for (const bytes of [config, layer]) await push(bytes);
  const put = (tag: string, salt: string) =>
    putManifest(`${v2}/manifests/${tag}`, authorization, { config, layer, salt });
  await put('warm', 'warm');
  const json = { authorization: basic, 'content-type': 'application/json' };
  const user = JSON.stringify({ username: 'reader', password: PASSWORD });
  await send(`${registry}/api/v1/users`, { method: 'POST', headers: json, body: user }, 201);
  let roles = 0;
  return {
    'warm manifest GET by tag': async () => {
      await send(`${v2}/manifests/warm`, { headers: { authorization } }, 200);
    },
    'push of 3 KB (POST, PATCH, PUT)': () => push(randomBytes(3_000)),
    'push of 5 MiB (POST, PATCH, PUT)': () => push(randomBytes(5 * 1024 * 1024)),
    'manifest PUT': () => put('other', randomBytes(8).toString('hex')),
    grant: async () => {
      const grants = [{ kind: 'user', name: 'reader', role: roles++ % 2 === 0 ? 'read' : 'write' }];
      const body = JSON.stringify({ grants });
      await send(`${registry}/api/v1/repos/${REPOSITORY}/permissions`, { method: 'PUT', headers: json, body }, 200);
    },
  };
}

async function pushBlob(v2: string, registry: string, authorization: string, bytes: Buffer): Promise<void> {
  const started = await send(`${v2}/blobs/uploads/`, { method: 'POST', headers: { authorization } }, 202);
  const location = new URL(started.headers.get('location') ?? '', registry).href;
  const headers = { authorization, 'content-type': 'application/octet-stream' };
  await send(location, { method: 'PATCH', headers, body: new Uint8Array(bytes) }, 202);
  await send(`${location}?digest=${digestOf(bytes)}`, { method: 'PUT', headers: { authorization } }, 201);
}

async function putManifest(
  url: string,
  authorization: string,
  { config, layer, salt }: { config: Buffer; layer: Buffer; salt: string },
): Promise<void> {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const descriptor = (bytes: Buffer, kind: string) => ({
    mediaType: kind,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: descriptor(config, 'application/vnd.oci.image.config.v1+json'),
    layers: [descriptor(layer, 'application/vnd.oci.image.layer.v1.tar')],
    annotations: { salt },
  });
  await send(url, { method: 'PUT', headers: { authorization, 'content-type': mediaType }, body }, 201);
}

async function send(url: string, options: RequestInit, status: number): Promise<Response> {
  const response = await fetch(url, options);
  const body = await response.arrayBuffer();
  if (response.status !== status)
    throw new Error(`${options.method ?? 'GET'} ${url}: ${response.status} ${Buffer.from(body).toString()}`);
  return new Response(body, { headers: response.headers });
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

await main(process.argv.slice(2));
