// long: hundreds of rounds
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { signUp } from '../conformance/world.js';
import { eventually } from '../support/processes.js';
import { RegistryClient } from '../support/registry-client.js';
import type { Registry } from '../support/registry.js';
import { SlowUpload } from '../bounds/slow-transfer.js';
import { Pulls } from './pulls.js';
import { startAgain, startEmbedded, startToEnd } from './start-to-end.js';
import { commandOf, workersOf } from './worker-processes.js';

jest.setTimeout(120_000);

const WORKERS = 3;
const ROUNDS = 200;
const PERMISSIONS = '/api/v1/repos/alice/shared/permissions';
/** What a worker gets to answer, and as much again for a loaded machine to end it and go on. */
const LIMIT_MS = 2 * 3_000;

let registry: Registry;
let alice: RegistryClient;
let bob: RegistryClient;

beforeAll(async () => {
  registry = await startEmbedded({ WORKERS: `${WORKERS}` });
  [alice, bob] = [await signUp(registry.client, 'alice'), await signUp(registry.client, 'bob')];
  await alice.pushImage('alice/shared', 'v1');
}, 120_000);

function named(event: string): Record<string, unknown>[] {
  return registry.events().filter((line) => line['event'] === event);
}

/** A connection of its own to each worker, in the order of their numbers. */
async function connectToEach({ options: { username = '', password = '' } }: RegistryClient): Promise<RegistryClient[]> {
  const found = new Map<number, RegistryClient>();
  await eventually('every worker gets a connection', async () => {
    // Several at once: whoever is awake takes the next.
    const clients = Array.from(
      { length: 4 * WORKERS },
      () => new RegistryClient({ url: registry.url, username, password }),
    );
    const workers = await Promise.all(clients.map(workerBehind));
    for (const [index, client] of clients.entries()) {
      const worker = workers[index] ?? 0;
      if (found.has(worker)) client.close();
      else found.set(worker, client);
    }
    return found.size === WORKERS;
  });
  return [...found].sort(([a], [b]) => a - b).map(([, client]) => client);
}

let probes = 0;
async function workerBehind(client: RegistryClient): Promise<number> {
  const id = `probe-${String(++probes).padStart(6, '0')}`;
  await client.raw('GET', '/nothing', { headers: { 'user-agent': id } }).expect(404); // probes have no line
  let line: Record<string, unknown> | undefined;
  await eventually('the request is in the log', () => {
    line = registry.events().find(({ agent }) => agent === id);
    return line !== undefined;
  });
  return Number(line?.['worker']);
}

function grant(client: RegistryClient, role: 'read' | 'write' | null): PromiseLike<unknown> {
  return client
    .api('PUT', PERMISSIONS, { grants: role === null ? [] : [{ kind: 'user', name: 'bob', role }] })
    .expect(200);
}

describe(`a node with ${WORKERS} workers and its embedded database`, () => {
  it('says once that it listens, when all of them do, and ready is what each of them is', async () => {
    expect(named('listening')).toHaveLength(1);
    expect(workersOf(registry)).toHaveLength(WORKERS);
    for (const client of await connectToEach(alice)) {
      await client.raw('GET', '/readyz').expect(200);
      client.close();
    }
  });

  it(`grant on one, push on another; revoke there, refused here: at the next request, ${ROUNDS} rounds`, async () => {
    const owners = await connectToEach(alice);
    const others = await connectToEach(bob);
    const at = <T>(list: readonly T[], index: number): T => list[index % WORKERS] as T;
    await grant(alice, 'write');
    const headers = { authorization: `Bearer ${await bob.token('repository:alice/shared:pull,push')}` };
    await grant(alice, null);
    const pullers = await connectToEach(bob);
    const pulls = new Pulls('/v2/alice/shared/manifests/v1', pullers, headers);
    const pulling = pulls.run();
    try {
      for (let round = 0; round < ROUNDS; round++) {
        pulls.changing();
        await grant(at(owners, round), 'write');
        pulls.granted();
        await at(others, round + 1)
          .raw('POST', '/v2/alice/shared/blobs/uploads/', { headers })
          .expect(202);
        pulls.changing();
        await grant(at(owners, round + 1), null);
        pulls.revoked();
        await at(others, round + 2)
          .raw('GET', '/v2/alice/shared/manifests/v1', { headers })
          .expect(404);
      }
    } finally {
      pulls.stop();
      await pulling;
    }
    expect(pulls.wrong).toEqual([]);
    expect(pulls.allowed).toBeGreaterThan(ROUNDS);
    for (const client of [...owners, ...others, ...pullers]) client.close();
  });

  it(`a tag that moves is where it was put at the next request to any of them, ${ROUNDS} rounds`, async () => {
    const clients = await connectToEach(alice);
    const images = [await alice.pushImage('alice/moving', 'a'), await alice.pushImage('alice/moving', 'b')];
    const wrong: string[] = [];
    let current = images[0]?.digest;
    await alice.putManifest('alice/moving', 'now', images[0]?.bytes ?? '').expect(201);
    for (let round = 1; round <= ROUNDS; round++) {
      const image = images[round % 2];
      await clients[round % WORKERS]?.putManifest('alice/moving', 'now', image?.bytes ?? '').expect(201);
      current = image?.digest;
      const replies = await Promise.all(
        clients.map((client) => client.headManifest('alice/moving', 'now').expect(200)),
      );
      for (const { headers } of replies) {
        if (headers['docker-content-digest'] !== current) wrong.push(`round ${round}`);
      }
    }
    expect(wrong).toEqual([]);
    for (const client of clients) client.close();
  });

  it('an upload goes on at another worker, and its blob is found at all', async () => {
    const clients = await connectToEach(alice);
    const [first, second, third] = clients as [RegistryClient, RegistryClient, RegistryClient];
    const upload = await first.startUpload('alice/shared');
    await second.uploadAt('alice/shared', upload.location).patch('0-4', 'hello').expect(202);
    const digest = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
    await third.uploadAt('alice/shared', upload.location).put(digest).expect(201, { digest });
    for (const client of clients) await client.headBlob('alice/shared', digest).expect(200);
    for (const client of clients) client.close();
  });

  it('failed logins count for the whole node, whichever worker they come to', async () => {
    await signUp(registry.client, 'carol');
    const clients = await connectToEach(new RegistryClient({ url: registry.url }));
    const statuses: number[] = [];
    const headers = { authorization: `Basic ${Buffer.from('carol:not-her-password').toString('base64')}` };
    for (let attempt = 0; attempt < 12; attempt++) {
      const reply = await clients[attempt % WORKERS]?.raw('GET', '/v2/', { headers });
      statuses.push(reply?.status ?? 0);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429, 429]);
    for (const client of clients) client.close();
  });

  it('a worker that stands still delays writes for a moment only, is ended and replaced', async () => {
    const [living] = await connectToEach(alice);
    const before = workersOf(registry);
    const frozen = before[WORKERS - 1] as number;
    process.kill(frozen, 'SIGSTOP');
    const begun = performance.now();
    await grant(living as RegistryClient, 'read');
    expect(performance.now() - begun).toBeLessThan(LIMIT_MS);
    expect(named('worker.frozen')).toHaveLength(1);
    expect(commandOf(frozen)).toBe('');
    await eventually('another takes its place', () => named('worker.listening').length === 1);
    expect(workersOf(registry)).toHaveLength(WORKERS);
    for (const client of await connectToEach(bob)) {
      await client.getManifest('alice/shared', 'v1').expect(200);
      client.close();
    }
    living?.close();
  });

  it('writes and reads beside the death of a worker are right', async () => {
    const [first, second] = (await connectToEach(alice)) as [RegistryClient, RegistryClient];
    process.kill(workersOf(registry).at(-1) as number, 'SIGKILL');
    for (let round = 0; round < 20; round++) {
      const { digest } = await first.pushImage('alice/moving', 'now');
      await second.headManifest('alice/moving', 'now').expect(200, { digest });
    }
    await eventually('another takes its place', () => named('worker.listening').length === 2);
    for (const client of [first, second]) client.close();
  });

  it('logs whole lines, and each request with the worker that answered it', () => {
    const lines = registry
      .logs()
      .split('\n')
      .filter((line) => line.includes('"event":"request"'));
    expect(lines.length).toBeGreaterThan(ROUNDS * 4);
    const workers = lines.map((line) => (JSON.parse(line) as { worker: number }).worker);
    expect([...new Set(workers)].sort()).toEqual([1, 2, 3]);
  });

  it('ends with all of them, after what they had begun', async () => {
    const upload = await SlowUpload.begin(alice, 'alice/shared', Buffer.from('begun '));
    await sleep(100);
    const pids = workersOf(registry);
    process.kill(registry.pid, 'SIGTERM');
    await eventually('no new connection is accepted', () => refuses(registry.url));
    upload.send(Buffer.from('and ended'));
    upload.end();
    expect((await upload.answered).status).toBe(202);
    expect(await registry.exited).toBe(0);
    expect(pids.map(commandOf)).toEqual(['', '', '']);
  });
});

async function refuses(url: string): Promise<boolean> {
  return fetch(`${url}/livez`).then(
    () => false,
    () => true,
  );
}

it('workers end when the one that started them was killed', async () => {
  const again = await startAgain(registry);
  const pids = workersOf(again);
  expect(pids).toHaveLength(WORKERS);
  await again.kill();
  await eventually('all have ended', () => pids.every((pid) => commandOf(pid) === ''));
});

it('a start that cannot listen says so once', async () => {
  const taken = await startAgain(registry);
  const { host } = new URL(taken.url);
  const { ended } = startToEnd({ ...taken.env, DATA_DIR: `${taken.dataDir}-2`, LISTEN_ADDRESS: host });
  const { code, stderr } = await ended;
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^Aerugo cannot start: cannot listen on .*\n$/),
  });
});
