// once: no store takes part in it
// long: seven nodes one after the other
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SlowUpload } from '../bounds/slow-transfer.js';
import { makeAuthority } from '../support/certificates.js';
import { eventually } from '../support/processes.js';
import { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { startEmbedded } from './start-to-end.js';
import { mountedSecret } from './tls-files.js';
import { startWithTls } from './tls-node.js';
import { workersOf } from './worker-processes.js';

jest.setTimeout(120_000);

/** Longer than the test: only a signal ends it. */
const LONG = { SHUTDOWN_DELAY_SECONDS: '10m' };
const STOPPING = ['stop.delayed', 'draining', 'stopped'];

let ca: string;
let tls: Record<string, string>;

beforeAll(async () => {
  const authority = await makeAuthority();
  ca = readFileSync(authority.ca, 'utf8');
  tls = { ...mountedSecret(await authority.issue('registry')).env };
}, 120_000);

function newClient({ client }: Registry): RegistryClient {
  return new RegistryClient(client.options);
}

function stages(registry: Registry): unknown[] {
  return registry.events().flatMap(({ event, worker }) => {
    return worker === undefined && STOPPING.includes(String(event)) ? [event] : [];
  });
}

async function isDraining(client: RegistryClient): Promise<boolean> {
  const reply = await client.raw('GET', '/readyz');
  return reply.status === 503 && reply.text.includes('draining');
}

async function beginStop(registry: Registry): Promise<void> {
  process.kill(registry.pid, 'SIGTERM');
  await eventually('the delay', () => stages(registry).includes('stop.delayed'));
}

/** A signal that comes too soon after the one before counts as the same. */
async function signalUntil(registry: Registry, line: string): Promise<void> {
  await eventually(`"${line}" in the log`, () => {
    if (registry.logs().includes(line)) return true;
    process.kill(registry.pid, 'SIGTERM');
    return false;
  });
}

async function refuses(registry: Registry): Promise<boolean> {
  const client = newClient(registry);
  try {
    await client.raw('GET', '/livez');
    return false;
  } catch {
    return true;
  } finally {
    client.close();
  }
}

const NODES = [
  ['with its embedded database', () => startEmbedded(LONG)],
  ['with two workers', () => startEmbedded({ ...LONG, WORKERS: '2' })],
  ['with TLS', () => startWithTls(ca, { ...LONG, ...tls })],
  ['over the suite’s database and store', () => startRegistry({ env: LONG })],
  ['of two workers over the suite’s database and store', () => startRegistry({ env: { ...LONG, WORKERS: '2' } })],
] as const;

describe.each(NODES)('a node %s that is told to stop', (_name, start) => {
  it('is not ready at once, serves open and new connections until the delay ends, then drains', async () => {
    const registry = await start();
    const image = await registry.client.pushImage('admin/app', 'before');
    const upload = await SlowUpload.begin(registry.client, 'admin/app', Buffer.from('begun '));
    await beginStop(registry);

    for (let connection = 0; connection < 20; connection += 1) {
      const client = newClient(registry);
      await eventually('the node is not ready', () => isDraining(client));
      await client.raw('GET', '/livez').expect(200);
      await client.getManifest('admin/app', 'before').expect(200, { digest: image.digest });
      client.close();
    }
    const late = newClient(registry);
    const pushed = await late.pushImage('admin/app', 'during');
    await registry.client.getManifest('admin/app', 'during').expect(200, { digest: pushed.digest });
    expect(stages(registry)).toEqual(['stop.delayed']);

    await signalUntil(registry, '"draining"');
    await eventually('no new connection is accepted', () => refuses(registry));
    upload.send(Buffer.from('and ended'));
    upload.end();
    expect((await upload.answered).status).toBe(202);
    late.close();
    expect(await registry.exited).toBe(0);
  });
});

it('ends the delay by itself, and without one it closes the port at once', async () => {
  const registry = await startEmbedded({ SHUTDOWN_DELAY_SECONDS: '1s' });
  process.kill(registry.pid, 'SIGTERM');
  expect(await registry.exited).toBe(0);
  expect(stages(registry)).toEqual(STOPPING);
  const undelayed = await startEmbedded();
  await undelayed.stop();
  expect(stages(undelayed)).toEqual(['draining', 'stopped']);
});

it('cuts off what runs at the third signal', async () => {
  const registry = await startEmbedded({ ...LONG, SHUTDOWN_GRACE_SECONDS: '1h' });
  const upload = await SlowUpload.begin(registry.client, 'admin/app', Buffer.from('begun '));
  await beginStop(registry);
  await signalUntil(registry, 'cut off');
  await expect(upload.answered).rejects.toThrow();
  expect(await registry.exited).toBe(0);
});

it('replaces a worker that dies during the delay by one that is not ready', async () => {
  const registry = await startEmbedded({ ...LONG, WORKERS: '2' });
  await beginStop(registry);
  for (const worker of workersOf(registry)) process.kill(worker, 'SIGKILL');
  const replaced = (): number => registry.events().filter(({ event }) => event === 'worker.listening').length;
  await eventually('both are replaced', () => replaced() === 2);
  for (let connection = 0; connection < 20; connection += 1) {
    const client = newClient(registry);
    expect(await isDraining(client)).toBe(true);
    client.close();
  }
  await signalUntil(registry, '"draining"');
  expect(await registry.exited).toBe(0);
});

it('does not wait for the end of the delay without its database', async () => {
  const registry = await startEmbedded(LONG);
  await beginStop(registry);
  const pidFile = path.join(registry.dataDir, 'database/cluster/postmaster.pid');
  process.kill(Number(readFileSync(pidFile, 'utf8').split('\n')[0]), 'SIGKILL');
  expect(await registry.exited).toBe(1);
});
