// once: nodes share a check through the database; what it finds in which store is in fsck.spec.ts
// long: it waits for leases of nodes that died
import { randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OWNER_NAME } from '../../src/storage/object-keys.js';
import { aerugo } from '../cli/cli.js';
import { digestOf } from '../support/content.js';
import { eventually } from '../support/processes.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { DAMAGES, deleteObject, objectsOf, readObject, writeObject } from '../support/stored-objects.js';
import { expectProblem } from './content-api.js';
import { query } from './left-behind.js';

jest.setTimeout(180_000);

const FSCK = '/api/v1/admin/fsck';
const SCRUB = '/api/v1/admin/scrub';
/** A node looks every 10 to 20 s, and the lease of one that died lasts 15 s. */
const TAKE_OVER_MS = 90_000;

interface Run {
  readonly id: string;
  readonly state: string;
  readonly blobs: number;
  readonly damaged: number;
}

async function read(node: Registry, path = FSCK): Promise<Run> {
  return (await node.client.api('GET', path).expect(200)).json<Run>();
}

async function pushBlobs(node: Registry, count: number, size: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => node.client.pushBlob('admin/many', randomBytes(size))));
}

const checksOf = (node: Registry, run: string) =>
  node.events().filter((event) => event['event'] === 'blobs-checked' && event['run'] === run);

describe('a check of all blobs by nodes', () => {
  let one: Registry;
  let two: Registry;

  beforeAll(async () => {
    one = await startRegistry({ env: { SCRUB_BYTES_PER_SECOND: '0' } });
    two = await startRegistry({ like: one });
    await one.client.pushImage('admin/app', '1.0', { layers: [Buffer.from('a layer of this test')] });
    await pushBlobs(one, 40, 20_000);
  });

  beforeEach(async () => {
    await two.client.api('DELETE', FSCK);
  });

  it('is begun on one node, followed on another, and is the only one', async () => {
    const begun = await one.client.api('POST', FSCK, { hash: true, bytesPerSecond: 4096 }).expect(202);
    expect(begun.need('location')).toBe(FSCK);
    const run = begun.json<Run>();
    expect(run).toMatchObject({ state: 'running', hash: true, totalBlobs: 42, unchecked: 0, problem: null });
    for (const { client } of [one, two])
      expectProblem(await client.api('POST', FSCK, { hash: true }).expect(409), 'CONFLICT');
    const offline = await aerugo(['fsck'], { env: one.env });
    expect(offline).toMatchObject({ code: 1, stderr: expect.stringContaining('a check is going on elsewhere') });
    expect(await read(two)).toMatchObject({ id: run.id, state: 'running' });
    await two.client.api('DELETE', FSCK).expect(204);
    expect(await read(one)).toMatchObject({ id: run.id, state: 'cancelled' });
    expectProblem(await two.client.api('DELETE', FSCK).expect(404), 'NOT_FOUND');

    const resumed = (await two.client.api('POST', FSCK, { hash: true, resume: true }).expect(202)).json<Run>();
    expect(resumed.id).toBe(run.id);
    await eventually('it is done', async () => (await read(one)).state === 'done');
    expect(await read(two)).toMatchObject({ blobs: 42, damaged: 0 });
  });

  it('refuses what cannot be', async () => {
    for (const body of [{ bytesPerSecond: 1 }, { bytesPerSecond: '1MiB' }, { hash: 'yes' }])
      expectProblem(await one.client.api('POST', FSCK, body).expect(400), 'VALIDATION_FAILED');
  });

  it('is what aerugo fsck --url begins, follows and lists', async () => {
    const layer = digestOf('a layer of this test');
    const [key = ''] = await objectsOf(one, layer);
    const kept = await readObject(one, key);
    await DAMAGES['one bit'](one, key);
    const login = ['--url', two.url, '--username', two.username, '--password-stdin'];
    const check = (...args: string[]) => aerugo(['fsck', '--json', ...args, ...login], { input: `${two.password}\n` });
    const found = await check('--hash');
    expect(found.code).toBe(4);
    const { damaged } = JSON.parse(found.stdout) as { damaged: object[] };
    expect(damaged).toHaveLength(1);
    const repositories = [{ path: 'admin/app', tags: ['1.0'] }];
    expect(damaged).toMatchObject([{ digest: layer, kind: 'bytes', foundBy: 'fsck', repositories }]);
    await one.client.headBlob('admin/app', layer).expect(404);
    await writeObject(one, key, kept);
    const healed = await check('--hash', '--restart');
    expect(healed.code).toBe(0);
    expect(JSON.parse(healed.stdout)).toMatchObject({ blobs: 42, healed: 1, damaged: [] });
    await one.client.headBlob('admin/app', layer).expect(200);
  });

  it('says why it could not go on, and is not lost with the node that did it', async () => {
    const owner = await readObject(one, OWNER_NAME);
    await deleteObject(one, OWNER_NAME);
    await one.client.api('POST', FSCK, {}).expect(202);
    await eventually('it has failed', async () => (await read(two)).state === 'failed');
    expect(await read(two)).toMatchObject({ problem: expect.stringContaining('aerugo-installation'), damaged: 0 });
    await writeObject(one, OWNER_NAME, owner);

    const three = await startRegistry({ like: one });
    const begun = (
      await three.client.api('POST', FSCK, { hash: true, bytesPerSecond: 65_536 }).expect(202)
    ).json<Run>();
    await eventually('some are read', async () => (await read(two)).blobs > 0);
    await three.kill();
    await eventually('another node has finished it', async () => (await read(two)).state === 'done', TAKE_OVER_MS);
    expect(await read(two)).toMatchObject({ id: begun.id, blobs: 42, damaged: 0 });
    expect([one, two].flatMap((node) => checksOf(node, 'fsck')).at(-1)).toMatchObject({ blobs: 42 });
  });
});

describe('the scrub of two nodes', () => {
  it('finds a flipped bit, on one node only, and goes on after that node’s end', async () => {
    // The first pass must not begin before all is there.
    const before = await startRegistry({ env: { SCRUB_BYTES_PER_SECOND: '0' } });
    const digests = await pushBlobs(before, 40, 20_000);
    const rotten = digests[0] ?? '';
    const [key = ''] = await objectsOf(before, rotten);
    await DAMAGES['one bit'](before, key);
    await query(
      before,
      `INSERT INTO integrity_runs (kind, id, state, runner, hash, bytes_per_second, started_at)
       VALUES ('scrub', $1, 'done', 'node', true, 0, now() - interval '2 days')`,
      [randomUUID()],
    );
    await before.stop();
    const env = { SCRUB_BYTES_PER_SECOND: '64KiB' };
    const nodes = [await startRegistry({ like: before, env }), await startRegistry({ like: before, env })] as const;
    const [one, two] = nodes;
    const epochs = () => query<{ epoch: number }>(one, `SELECT epoch FROM integrity_runs WHERE kind = 'scrub'`);
    const state = async () => (await two.client.api('GET', SCRUB)).json<Partial<Run>>().state;
    await eventually('a pass has begun', async () => (await state()) === 'running', TAKE_OVER_MS);
    await eventually('it has read some', async () => (await read(two, SCRUB)).blobs > 0, TAKE_OVER_MS);
    expect(await epochs()).toEqual([{ epoch: 1 }]);

    // The one that holds it lets go when it stops; the other one goes on where it was.
    const { blobs } = await read(two, SCRUB);
    const again = await startRegistry({ like: one });
    await one.stop();
    await eventually('the pass is done', async () => (await read(two, SCRUB)).state === 'done', TAKE_OVER_MS);
    const pass = await read(two, SCRUB);
    expect(pass).toMatchObject({ blobs: 40, damaged: 1, unchecked: 0 });
    expect(pass.blobs).toBeGreaterThan(blobs);
    expect([...nodes, again].flatMap((node) => checksOf(node, 'scrub'))).toHaveLength(1);
    await two.client.headBlob('admin/many', rotten).expect(404);
  });
});

it('has no pass of the scrub to show before the first one', async () => {
  const node = await startRegistry({ env: { SCRUB_BYTES_PER_SECOND: '0' } });
  await query(
    node,
    `INSERT INTO integrity_runs (kind, id, state, runner, hash, bytes_per_second, started_at)
     VALUES ('scrub', $1, 'done', 'node', true, 0, now() - interval '1 day')`,
    [randomUUID()],
  );
  await node.client.api('GET', SCRUB).expect(404);
});
