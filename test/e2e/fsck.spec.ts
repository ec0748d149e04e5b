import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { OWNER_NAME } from '../../src/storage/object-keys.js';
import { aerugo, CLI } from '../cli/cli.js';
import { signUp } from '../conformance/world.js';
import { digestOf } from '../support/content.js';
import { end, eventually, scratchDirectory, start } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { casesHere } from '../support/soak.js';
import { DAMAGES, deleteObject, objectsOf, readObject, writeObject } from '../support/stored-objects.js';
import { query } from './left-behind.js';

jest.setTimeout(120_000);

interface Result {
  readonly hash: boolean;
  readonly blobs: number;
  readonly bytes: number;
  readonly healed: number;
  readonly unchecked: number;
  readonly damaged: readonly {
    readonly digest: string;
    readonly kind: string;
    readonly foundSize: number | null;
    readonly repositories: readonly { readonly path: string; readonly tags: readonly string[] }[];
  }[];
}

async function fsck(registry: Registry, ...args: string[]): Promise<{ code: number; stderr: string; result: Result }> {
  const { code, stdout, stderr } = await aerugo(['fsck', '--rate', '1GiB', '--json', ...args], { env: registry.env });
  return { code, stderr, result: (stdout === '' ? null : JSON.parse(stdout)) as Result };
}

/** Which rows share an object is the database's matter, and how an object is read the store's: each once is enough. */
const DEDUPLICATE = casesHere({ filesystem: ['global'], s3: ['namespace'] });

describe.each(DEDUPLICATE)('aerugo fsck beside a node with DEDUPLICATE=%s', (deduplicate) => {
  let registry: Registry;
  let alice: RegistryClient;
  let bob: RegistryClient;
  const [missing, short, rotten, whole] = [1_000, 5_000, 3 * 2 ** 20, 100].map((size) => randomBytes(size));
  const layers = [missing, short, rotten, whole] as Buffer[];
  const digests = layers.map((layer) => digestOf(layer));
  const [gone = '', cut = '', flipped = ''] = digests;

  beforeAll(async () => {
    registry = await startRegistry({ env: { DEDUPLICATE: deduplicate } });
    [alice, bob] = await Promise.all([signUp(registry.client, 'alice'), signUp(registry.client, 'bob')]);
    await alice.pushImage('alice/app', '1.0', { layers });
    await alice.pushImage('alice/app', 'latest', { layers });
    await bob.pushImage('bob/app', 'v1', { layers });
  });

  /** With `namespace` only alice's objects, which are the first ones. */
  async function damage(): Promise<void> {
    for (const [digest, how] of [
      [gone, 'deleted'],
      [cut, 'cut'],
      [flipped, 'one bit'],
    ] as const) {
      const [key = ''] = await objectsOf(registry, digest);
      await DAMAGES[how](registry, key);
    }
  }

  it('ends with 0 and an empty list while everything is whole', async () => {
    const { code, stderr, result } = await fsck(registry, '--hash');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const copies = deduplicate === 'global' ? 1 : 2;
    expect(result).toMatchObject({ hash: true, blobs: 3 + 4 * copies, damaged: [], healed: 0, unchecked: 0 });
  });

  it('without --hash finds what is missing or cut, with it a flipped bit too, and who needs them', async () => {
    await damage();
    const tags = { 'alice/app': ['1.0', 'latest'], 'bob/app': ['v1'] };
    const holders = Object.entries(tags).filter(([path]) => deduplicate === 'global' || path === 'alice/app');
    const repositories = holders.map(([path, names]) => ({ path, tags: names }));
    const looked = await fsck(registry);
    expect(looked.code).toBe(4);
    const found = [
      { digest: gone, kind: 'missing', foundSize: null, repositories },
      { digest: cut, kind: 'size', foundSize: 2_500, repositories },
    ];
    expect(looked.result.damaged).toHaveLength(2);
    expect(looked.result.damaged).toMatchObject(found);

    const read = await fsck(registry, '--hash');
    expect(read.code).toBe(4);
    expect(read.result.damaged).toHaveLength(3);
    const rot = { digest: flipped, kind: 'bytes', foundSize: 3 * 2 ** 20, repositories };
    expect(read.result.damaged).toMatchObject([...found, rot]);
    await alice.headBlob('alice/app', flipped).expect(404);
    await bob.headBlob('bob/app', flipped).expect(deduplicate === 'global' ? 404 : 200);
  });

  it('says the same to people', async () => {
    const { code, stdout } = await aerugo(['fsck', '--hash'], { env: registry.env });
    expect(code).toBe(4);
    expect(stdout).toContain(`${gone} is missing\n  alice/app: 1.0, latest\n`);
    expect(stdout).toContain(`${cut} has 2500 bytes instead of 5000\n`);
    expect(stdout).toContain(`${flipped} has other bytes\n`);
    expect(stdout).toMatch(/^read \d+ blobs, \d+\.\d MB: 3 damaged$/m);
  });

  it('takes a mark off an object that was put back, and the next push heals the rest', async () => {
    const [key = ''] = await objectsOf(registry, gone);
    await writeObject(registry, key, missing as Buffer);
    const restored = await fsck(registry, '--hash');
    expect(restored.result).toMatchObject({ healed: 1 });
    expect(restored.result.damaged.map(({ digest }) => digest)).toEqual([cut, flipped]);
    for (const layer of layers) await alice.pushBlob('alice/app', layer);
    const { code, result } = await fsck(registry, '--hash');
    expect({ code, damaged: result.damaged }).toEqual({ code: 0, damaged: [] });
    for (const [at, layer] of layers.entries())
      expect((await bob.pullBlob('bob/app', digests[at] ?? '')).equals(layer)).toBe(true);
  });
});

describe('aerugo fsck beside a node', () => {
  let registry: Registry;
  let digests: readonly string[];

  beforeAll(async () => {
    registry = await startRegistry();
    const pushes = Array.from({ length: 48 }, () => registry.client.pushBlob('admin/many', randomBytes(20_000)));
    digests = await Promise.all(pushes);
  });

  it('goes on where it was killed', async () => {
    const place = scratchDirectory('cli');
    const { PATH = '' } = process.env;
    const env = { PATH, HOME: place, ...registry.env };
    const slow = start(process.execPath, [CLI, 'fsck', '--hash', '--rate', '128KiB', '--restart'], { cwd: place, env });
    const row = async () => {
      const sql = `SELECT id, blobs::int, epoch, state FROM integrity_runs WHERE kind = 'fsck'`;
      return (await query<{ id: string; blobs: number; epoch: number; state: string }>(registry, sql))[0];
    };
    await eventually('some of them are read', async () => {
      const { state, blobs } = (await row()) ?? { state: '', blobs: 0 };
      return state === 'running' && blobs > 0;
    });
    await end(slow, 'SIGKILL');
    const left = await row();
    expect(left).toMatchObject({ state: 'running' });
    const { code, result } = await fsck(registry, '--hash');
    expect(code).toBe(0);
    expect(await row()).toMatchObject({ id: left?.id, state: 'done', blobs: result.blobs });
    expect(result).toMatchObject({ blobs: 48, bytes: 48 * 20_000 });
  });

  it('ends with 1 after Ctrl-C, and goes on at once', async () => {
    const place = scratchDirectory('cli');
    const { PATH = '' } = process.env;
    const env = { PATH, HOME: place, ...registry.env };
    const slow = start(process.execPath, [CLI, 'fsck', '--hash', '--rate', '4KiB'], { cwd: place, env });
    const output: string[] = [];
    slow.stderr?.setEncoding('utf8').on('data', (text: string) => output.push(text));
    const stateIs = async (state: string): Promise<boolean> =>
      (await query(registry, `SELECT FROM integrity_runs WHERE kind = 'fsck' AND state = $1`, [state])).length === 1;
    await eventually('it runs', () => stateIs('running'));
    await end(slow, 'SIGINT');
    expect({ code: slow.exitCode, output: output.join('') }).toEqual({
      code: 1,
      output: 'aerugo: stopped; the same command goes on from here\n',
    });
    expect(await stateIs('cancelled')).toBe(true);
    expect((await fsck(registry, '--hash')).code).toBe(0);
  });

  it('can be cancelled by an administrator of the nodes', async () => {
    const place = scratchDirectory('cli');
    const { PATH = '' } = process.env;
    const env = { PATH, HOME: place, ...registry.env };
    const slow = start(process.execPath, [CLI, 'fsck', '--hash', '--rate', '4KiB', '--restart'], { cwd: place, env });
    const output: string[] = [];
    slow.stderr?.setEncoding('utf8').on('data', (text: string) => output.push(text));
    const exited = new Promise<number | null>((resolve) => slow.once('exit', resolve));
    await eventually('it runs', async () => {
      const reply = await registry.client.api('DELETE', '/api/v1/admin/fsck');
      return reply.status === 204;
    });
    expect({ code: await exited, output: output.join('') }).toEqual({
      code: 1,
      output: 'aerugo: the check was cancelled, or another process goes on with it\n',
    });
  });

  it('marks nothing, and ends with 1, where the store is not the database’s', async () => {
    const owner = await readObject(registry, OWNER_NAME);
    await deleteObject(registry, OWNER_NAME);
    const [key = ''] = await objectsOf(registry, digests[0] ?? '');
    const kept = await readObject(registry, key);
    await deleteObject(registry, key);
    const { code, stderr, result } = await fsck(registry, '--hash');
    expect({ code, result }).toEqual({ code: 1, result: null });
    expect(stderr).toContain('the store does not have the aerugo-installation of this database');
    await writeObject(registry, OWNER_NAME, owner);
    await writeObject(registry, key, kept);
    expect((await fsck(registry, '--hash')).result).toMatchObject({ damaged: [], healed: 0 });
  });

  it('refuses a rate that is none', async () => {
    const { code, stderr } = await aerugo(['fsck', '--rate', 'fast'], { env: registry.env });
    expect(code).toBe(2);
    expect(stderr).toContain('It must be a size from 1KiB');
  });
});
