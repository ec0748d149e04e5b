// What the README promises a newcomer: one command, then the docker CLI. With the embedded database and the defaults.
import { beforeAll, describe, expect, it } from '@jest/globals';
import { chmodSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  buildImage,
  expectAll,
  imageId,
  interruptedPush,
  MEBIBYTE,
  pushWhileItLasts,
} from '../clients/docker-images.js';
import { type Dockerd, startDockerd } from '../support/dockerd.js';
import { freePort, scratchDirectory } from '../support/processes.js';
import { RegistryClient } from '../support/registry-client.js';
import { npmStart, type Started } from './npm-start.js';

describe('after npm start', () => {
  let dataDir: string;
  let registry: Started;
  let dockerd: Dockerd;
  let host: string;
  let password: string;

  beforeAll(async () => {
    dataDir = scratchDirectory('data');
    chmodSync(dataDir, 0o755);
    [registry, dockerd] = await Promise.all([npmStart(dataDir, `127.0.0.1:${await freePort()}`), startDockerd()]);
    host = new URL(registry.url).host;
    password = /Password\s+(\S+)/.exec(registry.output())?.[1] ?? '';
  }, 400_000);

  const ref = (name: string) => `${host}/admin/${name}`;
  const login = () =>
    dockerd.docker(['login', host, '--username', 'admin', '--password-stdin'], {
      input: readFileSync(path.join(dataDir, 'admin-password'), 'utf8'),
    });
  const administrator = () => new RegistryClient({ url: registry.url, username: 'admin', password });

  it('the printed password logs in', async () => {
    await login();
    const client = administrator();
    await client.request('GET', '/v2/').expect(200);
    client.close();
  }, 60_000);

  it('an image with a layer of 200 MB is pushed, removed, and pulled as it was', async () => {
    const reference = ref('first:v1');
    const id = await buildImage(dockerd, reference, [1_000, 5 * MEBIBYTE, 200 * MEBIBYTE]);
    await dockerd.docker(['push', reference]);
    await dockerd.docker(['image', 'rm', reference]);
    expect((await dockerd.docker(['image', 'ls', '--all', '--quiet'])).stdout).toBe('');
    await dockerd.docker(['pull', reference]);
    expect(await imageId(dockerd, reference)).toBe(id);
    await dockerd.docker(['image', 'rm', reference]);
  }, 400_000);

  it('without a login a private image is refused, and a public one is pulled', async () => {
    await buildImage(dockerd, ref('open:v1'), [1_000]);
    await dockerd.docker(['push', ref('open:v1')]);
    await dockerd.docker(['image', 'rm', ref('open:v1')]);
    const client = administrator();
    await client.api('PATCH', '/api/v1/repos/admin/open', { visibility: 'public' }).expect(200);
    client.close();

    await dockerd.docker(['logout', host]);
    const refused = await dockerd.docker(['pull', ref('first:v1')], { anyCode: true });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/denied|unauthorized|authentication required/i);
    await dockerd.docker(['pull', ref('open:v1')]);
    await login();
  }, 120_000);

  it('kill -9 in the middle of a push loses nothing acknowledged, and the push succeeds when repeated', async () => {
    const reference = ref('crashed:v1');
    const id = await buildImage(dockerd, reference, [1_000, 200 * MEBIBYTE]);
    const before = administrator();
    const crash = { pid: registry.pid, bytes: 50 * MEBIBYTE, interrupt: () => registry.kill() };
    const [acknowledged] = await Promise.all([
      pushWhileItLasts(before, 'admin/small'),
      interruptedPush(dockerd, reference, crash),
    ]);
    before.close();
    expect(acknowledged.length).toBeGreaterThan(0);

    registry = await npmStart(dataDir, host);
    const after = administrator();
    await expectAll(after, 'admin/small', acknowledged);
    after.close();
    await dockerd.docker(['pull', ref('first:v1')]);
    await dockerd.docker(['push', reference]);
    await dockerd.docker(['image', 'rm', reference]);
    await dockerd.docker(['pull', reference]);
    expect(await imageId(dockerd, reference)).toBe(id);
  }, 600_000);
});
