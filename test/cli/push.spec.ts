// needs: versitygw
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readLayout, writeImage, writeIndex } from '../clients/oci-layout.js';
import { uniqueName } from '../conformance/documents.js';
import { signUp } from '../conformance/world.js';
import { freePort, run, scratchDirectory } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, type StoreKind, startRegistry } from '../support/registry.js';
import { aerugo } from './cli.js';
import { cuttingProxy } from './cutting-proxy.js';
import { expectImage, type Pushed, waysOf } from './pushed.js';

const MIB = 1 << 20;
const SETTINGS = [
  ['filesystem', 'sent through the registry'],
  ['s3', 'sent to the store'],
] as const satisfies (readonly [StoreKind, string])[];

describe.each(SETTINGS)('aerugo push to a registry on %s', (store, way) => {
  let registry: Registry;
  let alice: RegistryClient;
  let port: number;
  /** On S3 enough to go in parts. */
  const largest = (store === 's3' ? 66 : 12) * MIB;

  beforeAll(async () => {
    port = await freePort();
    registry = await startRegistry({ store, env: { LISTEN_ADDRESS: `127.0.0.1:${port}` } });
    alice = await signUp(registry.client, 'alice');
  }, 120_000);

  const newTarget = (at = port): string => `127.0.0.1:${at}/alice/${uniqueName('push')}`;

  async function push(source: string, target: string, ...more: string[]): Promise<Pushed> {
    const { username = '', password = '' } = alice.options;
    const login = ['--username', username, '--password-stdin'];
    const { code, stdout, stderr } = await aerugo(['push', source, target, '--json', ...login, ...more], {
      input: `${password}\n`,
    });
    if (code !== 0) throw Object.assign(new Error(stderr), { code });
    return JSON.parse(stdout) as Pushed;
  }

  it('sends a layout, its large blob too, and a second time nothing', async () => {
    const layout = scratchDirectory('layout');
    const { digest } = writeImage(layout, 'v1', [1_000, largest]);
    const target = newTarget();
    const first = await push(layout, `${target}:v1`);
    expect({ digest: first.digest, ways: waysOf(first) }).toEqual({ digest, ways: [way] });
    await expectImage(alice, target, 'v1', layout);
    const second = await push(layout, `${target}:again`);
    expect({ digest: second.digest, ways: waysOf(second) }).toEqual({ digest, ways: ['there already'] });
    await expectImage(alice, target, 'again', layout);
  }, 120_000);

  it('says why a registry takes no repository of that name', async () => {
    const layout = scratchDirectory('layout');
    writeImage(layout, 'v1', [1_000]);
    await expect(push(layout, `127.0.0.1:${port}/app:v1`)).rejects.toMatchObject({
      code: 1,
      message: expect.stringContaining('use two or more components'),
    });
  }, 60_000);

  it('sends an archive of an index, children first, with their exact bytes', async () => {
    const layout = scratchDirectory('layout');
    const { digest } = writeIndex(layout);
    const archive = path.join(scratchDirectory('archive'), 'image.tar');
    await run('tar', ['-cf', archive, '-C', layout, '.']);
    const target = newTarget();
    expect((await push(archive, `${target}@${digest}`)).digest).toBe(digest);
    await expectImage(alice, target, digest, layout);
  }, 60_000);

  it('goes on when its node is killed in the middle and started again', async () => {
    const layout = scratchDirectory('layout');
    writeImage(layout, 'v1', [1_000, 24 * MIB]);
    const isMiddle = (chunk: Buffer, total: number): boolean =>
      store === 's3' ? chunk.includes('/complete') : total > 9 * MIB;
    const proxy = await cuttingProxy(port, isMiddle, async () => {
      await registry.kill();
      registry = await startRegistry({ like: registry });
    });
    const target = newTarget(proxy.port);
    expect(waysOf(await push(layout, `${target}:v1`))).toEqual([way]);
    expect(proxy.cuts()).toBe(1);
    await expectImage(alice, target, 'v1', layout);
  }, 120_000);

  it('refuses local bytes that are others than their name, and sends nothing of them', async () => {
    const layout = scratchDirectory('layout');
    writeImage(layout, 'v1', [1_000]);
    const blobs = path.join(layout, 'blobs', 'sha256');
    const [name = ''] = readdirSync(blobs).filter((blob) => readFileSync(path.join(blobs, blob))[0] === 0x1f);
    const bytes = readFileSync(path.join(blobs, name));
    writeFileSync(path.join(blobs, name), Buffer.from(bytes.map((byte) => byte ^ 1)));
    const target = newTarget();
    await expect(push(layout, `${target}:v1`)).rejects.toMatchObject({
      code: 1,
      message: expect.stringContaining('others than its name says'),
    });
    const repository = target.slice(target.indexOf('/') + 1);
    await alice.headBlob(repository, `sha256:${name}`).expect(404);
    await alice.getManifest(repository, 'v1').expect(404);
    expect(() => readLayout(layout)).toThrow();
  });
});
