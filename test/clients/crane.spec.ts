// needs: crane
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Registry, startRegistry } from '../support/registry.js';
import { ClientUser } from './client-user.js';
import { readLayout, writeImage, writeIndex, type WrittenImage } from './oci-layout.js';

describe('crane', () => {
  let registry: Registry;
  let alice: ClientUser;
  let image: WrittenImage;

  beforeAll(async () => {
    registry = await startRegistry();
    alice = await ClientUser.signUp(registry, 'alice');
    const login = ['auth', 'login', '--username', alice.username, '--password-stdin', alice.host];
    await alice.run('crane', login, { input: alice.password });
    image = writeImage(alice.file('image'));
    await alice.run('crane', ['push', image.directory, alice.ref('app:v1')]);
  }, 120_000);

  const digest = async (name: string) => (await alice.lines('crane', ['digest', alice.ref(name)]))[0];

  it('pulls the bytes that it pushed', async () => {
    expect(await digest('app:v1')).toBe(image.digest);
    await alice.run('crane', ['pull', '--format', 'oci', alice.ref('app:v1'), alice.file('pulled')]);
    expect(readLayout(alice.file('pulled'))).toBe(image.digest);
    // Reads every layer and compares digests, sizes and diff ids.
    const { stdout } = await alice.run('crane', ['validate', '--remote', alice.ref('app:v1')]);
    expect(stdout).toContain('PASS');
  }, 120_000);

  it('pushes an index', async () => {
    const index = writeIndex(alice.file('index'));
    await alice.run('crane', ['push', '--index', index.directory, alice.ref('multi:v1')]);
    await alice.run('crane', ['validate', '--remote', alice.ref('multi:v1')]);
  }, 120_000);

  it('copies to another repository by mounts, with no byte sent again', async () => {
    const { stderr } = await alice.run('crane', ['copy', alice.ref('app:v1'), alice.ref('copied:v1')]);
    expect(stderr.match(/mounted blob/g)).toHaveLength(4);
    expect(stderr).not.toMatch(/pushed blob/);
    expect(await digest('copied:v1')).toBe(image.digest);
  }, 120_000);

  it('mutates an image in place and under another tag', async () => {
    const args = ['mutate', '--label', 'colour=green', '--tag', alice.ref('app:labelled')];
    await alice.run('crane', [...args, alice.ref('app:v1')]);
    const { stdout } = await alice.run('crane', ['config', alice.ref('app:labelled')]);
    expect(JSON.parse(stdout)).toMatchObject({ config: { Labels: { colour: 'green' } } });
    expect(await digest('app:v1')).toBe(image.digest);
  }, 120_000);

  it('tags, and lists tags', async () => {
    await alice.run('crane', ['copy', alice.ref('app:v1'), alice.ref('tagged:b')]);
    await alice.run('crane', ['tag', alice.ref('tagged:b'), 'a']);
    expect(await alice.lines('crane', ['ls', alice.ref('tagged')])).toEqual(['a', 'b']);
  }, 120_000);

  it('lists the repositories that the user may pull, and no others', async () => {
    const bob = await ClientUser.signUp(registry, 'bob');
    await bob.client.pushImage('bob/secret', 'v1');
    const catalog = await alice.lines('crane', ['catalog', alice.host]);
    expect(catalog).toContain('alice/app');
    expect(catalog.every((name) => name.startsWith('alice/'))).toBe(true);
  }, 60_000);

  it('deletes a manifest by its digest, and its tags go too', async () => {
    await alice.run('crane', ['copy', alice.ref('app:v1'), alice.ref('deleted:v1')]);
    await alice.run('crane', ['delete', alice.ref(`deleted@${image.digest}`)]);
    const gone = await alice.run('crane', ['manifest', alice.ref('deleted:v1')], { anyCode: true });
    expect(gone.code).not.toBe(0);
    expect(gone.stderr).toMatch(/MANIFEST_UNKNOWN/);
    expect(await digest('app:v1')).toBe(image.digest);
  }, 60_000);
});
