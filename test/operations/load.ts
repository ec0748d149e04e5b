import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { SlowUpload } from '../bounds/slow-transfer.js';
import { IMAGE_INDEX } from '../support/content.js';
import { scratchDirectory } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import type { Registry } from '../support/registry.js';
import { onTheWire } from '../support/wire.js';

/** Names that must be in no label, whatever the load does with them. */
export const NAMES = ['k7q2-app', 'k7q2-tag', 'k7q2-mallory', 'k7q2-nowhere'] as const;
const [APP, TAG, MALLORY, NOWHERE] = NAMES;
/** More than the row of an upload keeps: what exceeds it takes memory of the node. */
const MORE_THAN_A_HEAD = 300 * 1024;
/** Two workers have memory for 16 each, at 8 MiB of 128 MiB. */
const SLOW_UPLOADS = 20;
const MAX_ROUNDS = 40;
/** The variable that `held-worker.mjs` reads. */
const HELD_BY = 'TEST_WORKERS_HELD_BY';

/** Pushes and pulls until told to stop; gives how many images were pushed. */
export async function pushAndPull(client: RegistryClient, at: number, signal: AbortSignal): Promise<number> {
  const name = `admin/${APP}-${at}`;
  let images = 0;
  while (!signal.aborted) {
    try {
      const { layers } = await client.pushImage(name, TAG, { layers: [randomBytes(MORE_THAN_A_HEAD)] });
      images += 1;
      await client.getManifest(name, TAG).expect(200);
      for (const { digest } of layers) await client.pullBlob(name, digest);
    } catch {
      // Too much at once for the few connections to the database (503): a client comes back, and so does this one.
    }
  }
  return images;
}

/** Wrong passwords until the limit, paths and methods that nobody has, and a request without credentials. */
export async function knockAtDoors(client: RegistryClient): Promise<void> {
  const guess = client.as(MALLORY, 'wrong-password', 'basic');
  for (let attempt = 0; attempt < 12; attempt += 1) await guess.request('GET', '/v2/').expect([401, 429]);
  guess.close();
  await client.raw('GET', `/v2/admin/${APP}-0/manifests/${TAG}`).expect(401);
  for (const path of [`/${NOWHERE}`, `/v2/${NOWHERE}`, `/api/v1/${NOWHERE}/x`]) await client.raw('GET', path);
  await onTheWire(client.options.url, 'nonsense\r\n\r\n', client.options.ca);
  await client.raw('PROPFIND', `/v2/admin/${APP}-0/manifests/${TAG}`);
}

/** A manifest of more annotations than a new one may have. */
export async function exceedLimits(client: RegistryClient): Promise<void> {
  const annotations = Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`a${at}`, '']));
  const index = { schemaVersion: 2, mediaType: IMAGE_INDEX, manifests: [], annotations };
  await client.putManifest(`admin/${APP}-0`, 'limits', index).expect(400);
}

/** Takes memory for uploads until it is seen that there is none; then every client is gone, but one that comes back. */
export async function crowd(client: RegistryClient, isSeen: () => Promise<boolean>): Promise<void> {
  const begin = (): Promise<SlowUpload> => SlowUpload.begin(client, `admin/${APP}-slow`, randomBytes(MORE_THAN_A_HEAD));
  const slow: SlowUpload[] = [];
  for (let round = 0; round < MAX_ROUNDS && !(await isSeen()); round += 1) {
    // Those of the rounds before may have been cut off meanwhile, for they send nothing.
    const begun = await Promise.allSettled(Array.from({ length: SLOW_UPLOADS }, begin));
    slow.push(...begun.flatMap((upload) => (upload.status === 'fulfilled' ? [upload.value] : [])));
    await sleep(1_000);
  }
  for (const upload of slow) upload.abandon();
  const kept = await client.startUpload(`admin/${APP}-slow`);
  await kept.patch(`0-${MORE_THAN_A_HEAD - 1}`, randomBytes(MORE_THAN_A_HEAD)).expect(202);
  await client.request('GET', kept.path).expect(204);
}

/** Keeps a table that every push needs until it is seen that requests wait for a connection to the database. */
export function holdDatabase(registry: Registry, isSeen: () => Promise<void>): Promise<void> {
  return inDatabase(registry, async (client) => {
    await client.query('BEGIN');
    await client.query('LOCK TABLE tags IN ACCESS EXCLUSIVE MODE');
    await isSeen();
  });
}

/** Has the store compared with the database when a worker looks next whether it is time. */
export function compareStore(registry: Registry): Promise<void> {
  return inDatabase(registry, async (client) => {
    await client.query('UPDATE installation SET reconcile_due = now()');
  });
}

async function inDatabase({ databaseUrl }: Registry, work: (client: pg.Client) => Promise<void>): Promise<void> {
  if (databaseUrl === null) throw new Error('the registry runs its own database');
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** For a node whose workers `loseWorker` can hold back. */
export function holdableWorkers(): Record<string, string> {
  return {
    NODE_OPTIONS: `--import ${path.join(import.meta.dirname, 'held-worker.mjs')}`,
    [HELD_BY]: path.join(scratchDirectory('held'), 'worker'),
  };
}

/** `kill -9` of one worker. The registry starts another, which begins only when it has been seen that one is missing. */
export async function loseWorker({ pid, env }: Registry, isSeen: () => Promise<void>): Promise<void> {
  const file = env[HELD_BY];
  if (file === undefined) throw new Error('the node was started without holdableWorkers()');
  writeFileSync(file, '');
  try {
    killWorker(pid);
    await isSeen();
  } finally {
    rmSync(file);
  }
}

function killWorker(pid: number): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).map(Number);
  const [first] = children.filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('main.js'));
  if (first === undefined) throw new Error('the node has no workers');
  process.kill(first, 'SIGKILL');
}
