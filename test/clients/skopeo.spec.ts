// needs: skopeo
import { beforeAll, describe, expect, it } from '@jest/globals';
import { DOCKER_MANIFEST } from '../support/content.js';
import { startRegistry } from '../support/registry.js';
import { ClientUser } from './client-user.js';
import { readLayout, writeImage, writeIndex } from './oci-layout.js';

describe('skopeo', () => {
  let alice: ClientUser;

  beforeAll(async () => {
    alice = await ClientUser.signUp(await startRegistry(), 'alice');
    const login = ['login', '--tls-verify=false', '--username', alice.username, '--password-stdin', alice.host];
    await alice.run('skopeo', login, { input: alice.password });
  }, 120_000);

  const push = (from: string, to: string, ...more: string[]) =>
    alice.run('skopeo', ['copy', '--dest-tls-verify=false', ...more, from, to]);
  const pull = (from: string, to: string, ...more: string[]) =>
    alice.run('skopeo', ['copy', '--src-tls-verify=false', ...more, from, to]);
  const inspect = (reference: string, anyCode = false) =>
    alice.run('skopeo', ['inspect', '--tls-verify=false', '--format', '{{.Digest}}', reference], { anyCode });

  it('pushes an image and pulls the same bytes', async () => {
    const image = writeImage(alice.file('image'));
    const reference = `docker://${alice.ref('app:v1')}`;
    await push(`oci:${image.directory}:${image.tag}`, reference);
    expect((await inspect(reference)).stdout.trim()).toBe(image.digest);

    await pull(reference, `oci:${alice.file('pulled')}:v1`);
    expect(readLayout(alice.file('pulled'))).toBe(image.digest);
  }, 120_000);

  it('copies an index with all its platforms', async () => {
    const index = writeIndex(alice.file('index'));
    const reference = `docker://${alice.ref('multi:v1')}`;
    await push(`oci:${index.directory}:${index.tag}`, reference, '--all');
    await pull(reference, `oci:${alice.file('pulled-index')}:v1`, '--all');
    expect(readLayout(alice.file('pulled-index'))).toBe(index.digest);
  }, 120_000);

  it('converts docker → OCI between two repositories', async () => {
    const image = writeImage(alice.file('to-convert'), 'v1', [20_000]);
    const [docker, oci] = [`docker://${alice.ref('v2s2:v1')}`, `docker://${alice.ref('converted:v1')}`];
    await push(`oci:${image.directory}:${image.tag}`, docker, '--format', 'v2s2');
    await alice.client.headManifest('alice/v2s2', 'v1').expect(200, { headers: { 'content-type': DOCKER_MANIFEST } });

    await push(docker, oci, '--src-tls-verify=false', '--format', 'oci');
    const manifest = await alice.client.getManifest('alice/converted', 'v1').expect(200);
    expect(manifest.json()).toMatchObject({ layers: [{ mediaType: expect.stringContaining('vnd.oci.image.layer') }] });
  }, 120_000);

  it('lists the tags of a repository', async () => {
    const image = writeImage(alice.file('to-tag'), 'v1', [100]);
    for (const tag of ['b', 'a', 'v1.0'])
      await push(`oci:${image.directory}:v1`, `docker://${alice.ref(`tags:${tag}`)}`);
    const { stdout } = await alice.run('skopeo', ['list-tags', '--tls-verify=false', `docker://${alice.ref('tags')}`]);
    expect(JSON.parse(stdout)).toEqual({ Repository: alice.ref('tags'), Tags: ['a', 'b', 'v1.0'] });
  }, 120_000);

  it('deletes an image, and then it is gone', async () => {
    const image = writeImage(alice.file('to-delete'), 'v1', [100]);
    const reference = `docker://${alice.ref('short-lived:v1')}`;
    await push(`oci:${image.directory}:v1`, reference);
    await alice.run('skopeo', ['delete', '--tls-verify=false', reference]);
    const gone = await inspect(reference, true);
    expect(gone.code).not.toBe(0);
    expect(gone.stderr).toMatch(/manifest unknown/);
  }, 120_000);

  it('is refused with a wrong password', async () => {
    const args = ['login', '--tls-verify=false', '--authfile', alice.file('other.json')];
    const login = [...args, '--username', alice.username, '--password-stdin', alice.host];
    const refused = await alice.run('skopeo', login, { input: 'not-the-password', anyCode: true });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/invalid username\/password/);
  });
});
