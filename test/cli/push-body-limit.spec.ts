// needs: versitygw nginx
import { beforeAll, describe, expect, it } from '@jest/globals';
import { writeImage } from '../clients/oci-layout.js';
import { limitBodies } from '../cluster/nginx.js';
import { uniqueName } from '../conformance/documents.js';
import { signUp } from '../conformance/world.js';
import { scratchDirectory } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, type StoreKind, startRegistry } from '../support/registry.js';
import { freshBucket } from '../support/s3.js';
import { aerugo } from './cli.js';
import { cuttingProxy } from './cutting-proxy.js';
import { expectImage, type Pushed, waysOf } from './pushed.js';

const MIB = 1 << 20;
const KIB = 1 << 10;
const LAYERS = [9 * MIB + 5, 5 * MIB, 3 * MIB + 1, 1_000];

async function push(client: RegistryClient, source: string, target: string, ...more: string[]): Promise<Pushed> {
  const { username = '', password = '' } = client.options;
  const login = ['--username', username, '--password-stdin'];
  const { code, stdout, stderr } = await aerugo(['push', source, target, '--json', ...login, ...more], {
    input: `${password}\n`,
  });
  if (code !== 0) throw Object.assign(new Error(stderr), { code });
  return JSON.parse(stdout) as Pushed;
}

const hostOf = (url: string): string => new URL(url).host;

describe.each<StoreKind>(['filesystem', 's3'])('a push through a proxy that limits bodies, to %s', (store) => {
  let registry: Registry;
  let alice: RegistryClient;
  let layout: string;

  beforeAll(async () => {
    registry = await startRegistry({ store });
    alice = await signUp(registry.client, 'alice');
    layout = scratchDirectory('layout');
    writeImage(layout, 'v1', LAYERS);
  }, 120_000);

  it('goes on in smaller chunks after a 413, which counts for all its blobs', async () => {
    const proxy = await limitBodies(registry.url, MIB);
    const target = `${hostOf(proxy.url)}/alice/${uniqueName('limit')}`;
    expect(waysOf(await push(alice, layout, `${target}:v1`, '--no-direct'))).toEqual(['sent through the registry']);
    await expectImage(alice, target, 'v1', layout);
    const patches = proxy.answers().filter(({ method }) => method === 'PATCH');
    const refused = patches.filter(({ status }) => status === 413);
    const taken = patches.filter(({ status }) => status === 202);
    expect(refused.length + taken.length).toBe(patches.length);
    expect(refused.every(({ sent }) => sent > MIB)).toBe(true);
    // From 9 MiB down to less than one in four steps; what four blobs send at once may each be refused on the way.
    expect(refused.length).toBeLessThanOrEqual(3 * 4);
    expect(taken.reduce((sum, { sent }) => sum + sent, 0)).toBeGreaterThanOrEqual(LAYERS.reduce((a, b) => a + b));
  }, 120_000);

  it('sends what --chunk-size says and meets no 413', async () => {
    const proxy = await limitBodies(registry.url, MIB);
    const target = `${hostOf(proxy.url)}/alice/${uniqueName('limit')}`;
    await push(alice, layout, `${target}:v1`, '--no-direct', '--chunk-size', '1MiB');
    await expectImage(alice, target, 'v1', layout);
    const patches = proxy.answers().filter(({ method }) => method === 'PATCH');
    expect(patches.map(({ status }) => status)).toEqual(patches.map(() => 202));
    expect(Math.max(...patches.map(({ sent }) => sent))).toBe(MIB);
  }, 120_000);

  it('goes on with the chunk that a lost connection cut', async () => {
    const cut = await cuttingProxy(
      Number(new URL(registry.url).port),
      (_chunk, total) => total > 6 * MIB,
      () => Promise.resolve(),
    );
    const target = `127.0.0.1:${cut.port}/alice/${uniqueName('limit')}`;
    await push(alice, layout, `${target}:v1`, '--no-direct', '--chunk-size', '1MiB');
    expect(cut.cuts()).toBe(1);
    await expectImage(alice, target, 'v1', layout);
  }, 120_000);

  it('ends with a reason where no body passes', async () => {
    const proxy = await limitBodies(registry.url, 32 * KIB);
    const target = `${hostOf(proxy.url)}/alice/${uniqueName('limit')}`;
    await expect(push(alice, layout, `${target}:v1`, '--no-direct')).rejects.toMatchObject({
      code: 1,
      message: expect.stringContaining('a proxy before the registry limits bodies'),
    });
  }, 120_000);

  it('takes no chunks that are no size', async () => {
    for (const size of ['0', '1KiB', 'ten', '-5MiB']) {
      await expect(push(alice, layout, '127.0.0.1:1/alice/x:v1', `--chunk-size=${size}`)).rejects.toMatchObject({
        code: 2,
      });
    }
  }, 60_000);
});

describe('a push to a store behind a proxy that limits bodies', () => {
  async function withLimit(
    bytes: number,
  ): Promise<{ alice: RegistryClient; url: string; proxy: Awaited<ReturnType<typeof limitBodies>> }> {
    const bucket = await freshBucket();
    const proxy = await limitBodies(bucket.endpoint, bytes);
    const { client, url } = await startRegistry({ store: bucket, env: { S3_PUBLIC_ENDPOINT: proxy.url } });
    return { alice: await signUp(client, 'alice'), url, proxy };
  }

  it('goes there in parts where a whole blob is too large', async () => {
    const { alice, url, proxy } = await withLimit(16 * MIB);
    const layout = scratchDirectory('layout');
    writeImage(layout, 'v1', [1_000, 40 * MIB, 41 * MIB]);
    const target = `${hostOf(url)}/alice/${uniqueName('store')}`;
    expect(waysOf(await push(alice, layout, `${target}:v1`))).toEqual(['sent to the store']);
    expect(proxy.answers().some(({ status }) => status === 413)).toBe(true);
    await expectImage(alice, target, 'v1', layout);
  }, 120_000);

  it('goes through the registry where parts are too large as well', async () => {
    const { alice, url } = await withLimit(MIB);
    const layout = scratchDirectory('layout');
    writeImage(layout, 'v1', [20 * MIB, 1_000]);
    const target = `${hostOf(url)}/alice/${uniqueName('store')}`;
    expect(waysOf(await push(alice, layout, `${target}:v1`))).toContain('sent through the registry');
    await expectImage(alice, target, 'v1', layout);
  }, 120_000);
});
