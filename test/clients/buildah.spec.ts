// needs: buildah
import { beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { startRegistry } from '../support/registry.js';
import { ClientUser } from './client-user.js';

describe('buildah', () => {
  let alice: ClientUser;

  beforeAll(async () => {
    alice = await ClientUser.signUp(await startRegistry(), 'alice');
    const places = [`runroot = "${alice.file('storage/run')}"`, `graphroot = "${alice.file('storage/root')}"`];
    alice.write('storage.conf', ['[storage]', 'driver = "vfs"', ...places, ''].join('\n'));
    const login = ['login', '--tls-verify=false', '--username', alice.username, '--password-stdin', alice.host];
    await buildah(login, alice.password);
  }, 120_000);

  // Neither needs a privilege that a container of CI lacks: no overlay mounts, no namespaces.
  const env = () => ({ CONTAINERS_STORAGE_CONF: alice.file('storage.conf'), BUILDAH_ISOLATION: 'chroot' });
  const buildah = (args: string[], input = '') => alice.run('buildah', args, { env: env(), input });
  const imageId = async (reference: string) =>
    (await buildah(['inspect', '--type', 'image', '--format', '{{.FromImageID}}', reference])).stdout.trim();

  const build = async (reference: string, data: Buffer) => {
    const context = path.dirname(alice.write(`${path.basename(reference)}/data`, data));
    alice.write(`${path.basename(reference)}/Containerfile`, 'FROM scratch\nCOPY data /data\n');
    await buildah(['build', '--tag', reference, context]);
  };

  it('builds, pushes, and pulls the same image', async () => {
    const reference = alice.ref('built:v1');
    const data = randomBytes(3_000_000);
    await build(reference, data);
    const id = await imageId(reference);
    await buildah(['push', '--tls-verify=false', reference]);

    await buildah(['rmi', reference]);
    await buildah(['pull', '--tls-verify=false', reference]);
    expect(await imageId(reference)).toBe(id);
    const container = (await buildah(['from', '--pull-never', reference])).stdout.trim();
    const root = (await buildah(['mount', container])).stdout.trim();
    expect(readFileSync(path.join(root, 'data')).equals(data)).toBe(true);
    await buildah(['rm', container]);
  }, 180_000);

  it('pushes a manifest list with the images that it names', async () => {
    const list = 'localhost/list';
    const image = alice.ref('part:v1');
    await build(image, randomBytes(10_000));
    await buildah(['manifest', 'create', list]);
    await buildah(['manifest', 'add', list, `containers-storage:${image}`]);
    await buildah(['manifest', 'push', '--all', '--tls-verify=false', list, `docker://${alice.ref('list:v1')}`]);
    const index = (await alice.client.getManifest('alice/list', 'v1').expect(200)).json<{ manifests: unknown[] }>();
    expect(index.manifests).toHaveLength(1);
  }, 180_000);
});
