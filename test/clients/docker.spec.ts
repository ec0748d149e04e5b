import { beforeAll, describe, expect, it } from '@jest/globals';
import { startDockerd, type Dockerd } from '../support/dockerd.js';
import { freePort } from '../support/processes.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { ClientUser } from './client-user.js';
import { buildImage, expectAll, imageId, interruptedPush, MEBIBYTE, pushWhileItLasts } from './docker-images.js';

describe('docker', () => {
  let registry: Registry;
  let alice: ClientUser;
  let dockerd: Dockerd;

  beforeAll(async () => {
    // After a crash the same references must lead to the registry that was started again.
    const env = { LISTEN_ADDRESS: `127.0.0.1:${await freePort()}` };
    [registry, dockerd] = await Promise.all([startRegistry({ env }), startDockerd()]);
    alice = await ClientUser.signUp(registry, 'alice');
    await login();
  }, 120_000);

  const login = () => loginWith(alice.password);
  const loginWith = (password: string, anyCode = false) =>
    dockerd.docker(['login', '--username', alice.username, '--password-stdin', alice.host], {
      input: password,
      anyCode,
    });

  it('pushes an image and pulls the same one', async () => {
    const reference = alice.ref('app:v1');
    const id = await buildImage(dockerd, reference, [100, 100_000, 30 * MEBIBYTE]);
    await dockerd.docker(['push', reference]);
    await dockerd.docker(['image', 'rm', reference]);
    await dockerd.docker(['pull', reference]);
    expect(await imageId(dockerd, reference)).toBe(id);
  }, 180_000);

  it('pulls by digest', async () => {
    const [tagged, digest] = [alice.ref('pinned:v1'), /sha256:[0-9a-f]{64}/];
    const id = await buildImage(dockerd, tagged, [100]);
    const { stdout } = await dockerd.docker(['push', tagged]);
    await dockerd.docker(['image', 'rm', tagged]);
    const pinned = alice.ref(`pinned@${digest.exec(stdout)?.[0] ?? ''}`);
    await dockerd.docker(['pull', pinned]);
    expect(await imageId(dockerd, pinned)).toBe(id);
  }, 120_000);

  it('mounts layers that another repository of the user has', async () => {
    const [first, second] = [alice.ref('mounted-from:v1'), alice.ref('mounted-to:v1')];
    await buildImage(dockerd, first, [1_000, 2_000]);
    await dockerd.docker(['push', first]);
    await dockerd.docker(['tag', first, second]);
    const { stdout } = await dockerd.docker(['push', second]);
    expect(stdout.match(/Mounted from alice\/mounted-from/g)).toHaveLength(2);
  }, 120_000);

  it('is refused a private repository after logout, and pulls a public one', async () => {
    for (const name of ['private', 'public']) {
      await buildImage(dockerd, alice.ref(`${name}:v1`), [1_000]);
      await dockerd.docker(['push', alice.ref(`${name}:v1`)]);
      await dockerd.docker(['image', 'rm', alice.ref(`${name}:v1`)]);
    }
    await alice.client.api('PATCH', '/api/v1/repos/alice/public', { visibility: 'public' }).expect(200);
    await dockerd.docker(['logout', alice.host]);

    await dockerd.docker(['pull', alice.ref('public:v1')]);
    for (const args of [
      ['pull', alice.ref('private:v1')],
      ['push', alice.ref('public:v1')],
    ]) {
      const refused = await dockerd.docker(args, { anyCode: true });
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toMatch(/denied|unauthorized|authentication required/i);
    }
    await login();
  }, 120_000);

  it('is refused with a wrong password', async () => {
    const refused = await loginWith('not-the-password', true);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/unauthorized/i);
    await login();
  });

  it('pushes again after the registry was killed in the middle, and everything acknowledged is there', async () => {
    const reference = alice.ref('crashed:v1');
    const id = await buildImage(dockerd, reference, [1_000, 100 * MEBIBYTE]);
    const crash = { pid: registry.pid, bytes: 20 * MEBIBYTE, interrupt: () => registry.kill() };
    const [acknowledged] = await Promise.all([
      pushWhileItLasts(alice.client, 'alice/small'),
      interruptedPush(dockerd, reference, crash),
    ]);
    expect(acknowledged.length).toBeGreaterThan(0);

    registry = await startRegistry({ like: registry });
    await expectAll(registry.client.as(alice.username, alice.password), 'alice/small', acknowledged);
    await dockerd.docker(['push', reference]);
    await dockerd.docker(['image', 'rm', reference]);
    await dockerd.docker(['pull', reference]);
    expect(await imageId(dockerd, reference)).toBe(id);
  }, 300_000);
});
