// needs: regctl
import { beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { digestOf } from '../support/content.js';
import { eventually } from '../support/processes.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { ClientUser } from './client-user.js';
import { readLayout, writeImage, type WrittenImage } from './oci-layout.js';

const MEBIBYTE = 1 << 20;

describe('regctl', () => {
  let registry: Registry;
  let alice: ClientUser;
  let image: WrittenImage;

  beforeAll(async () => {
    registry = await startRegistry();
    alice = await ClientUser.signUp(registry, 'alice');
    await alice.run('regctl', ['registry', 'set', '--skip-check', '--tls', 'disabled', alice.host]);
    const login = ['registry', 'login', '--user', alice.username, '--pass-stdin', alice.host];
    await alice.run('regctl', login, { input: alice.password });
    image = writeImage(alice.file('image'));
    await alice.run('regctl', ['image', 'copy', `ocidir://${image.directory}:${image.tag}`, alice.ref('app:v1')]);
  }, 120_000);

  const digest = async (name: string) => (await alice.lines('regctl', ['image', 'digest', alice.ref(name)]))[0];

  it('pulls the bytes that it pushed', async () => {
    expect(await digest('app:v1')).toBe(image.digest);
    await alice.run('regctl', ['image', 'copy', alice.ref('app:v1'), `ocidir://${alice.file('pulled')}:v1`]);
    expect(readLayout(alice.file('pulled'))).toBe(image.digest);
  }, 120_000);

  it('copies an image with its digest tags and its referrers', async () => {
    const artifact = ['artifact', 'put', '--artifact-type', 'application/vnd.example.sbom'];
    const sbom = alice.write('sbom.json', '{"sbom":true}');
    await alice.run('regctl', [...artifact, '--subject', alice.ref('app:v1'), '--file', sbom]);
    const signatureTag = `${image.digest.replace(':', '-')}.sig`;
    await alice.run('regctl', [...artifact, alice.ref(`app:${signatureTag}`), '--file', sbom]);

    const options = ['--digest-tags', '--referrers'];
    await alice.run('regctl', ['image', 'copy', ...options, alice.ref('app:v1'), alice.ref('copied:v1')]);
    expect(await digest('copied:v1')).toBe(image.digest);
    expect(await digest(`copied:${signatureTag}`)).toBe(await digest(`app:${signatureTag}`));
    const list = ['artifact', 'list', '--format', '{{range .Descriptors}}{{.ArtifactType}}\n{{end}}'];
    expect(await alice.lines('regctl', [...list, alice.ref('copied:v1')])).toEqual(['application/vnd.example.sbom']);
  }, 120_000);

  it('puts a blob in chunks', async () => {
    const chunks = [
      'registry',
      'set',
      '--skip-check',
      '--blob-chunk',
      `${MEBIBYTE}`,
      '--blob-max',
      `${2 * MEBIBYTE}`,
      alice.host,
    ];
    await alice.run('regctl', chunks);
    const bytes = randomBytes(5 * MEBIBYTE + 123);
    const file = alice.write('blob', bytes);
    const before = patches();
    const args = ['-c', 'exec "$0" blob put "$1" < "$2"', 'regctl', alice.ref('chunked'), file];
    const { stdout } = await alice.run('sh', args);
    expect(stdout.trim()).toBe(digestOf(bytes));
    await eventually('the access log has a PATCH a chunk', () => patches() - before >= 5);

    expect(digestOf(await alice.client.pullBlob('alice/chunked', digestOf(bytes)))).toBe(digestOf(bytes));
  }, 120_000);

  it('lists tags and deletes one, and leaves the manifest under its other tags', async () => {
    for (const tag of ['a', 'b']) {
      await alice.run('regctl', ['image', 'copy', alice.ref('app:v1'), alice.ref(`tags:${tag}`)]);
    }
    expect(await alice.lines('regctl', ['tag', 'ls', alice.ref('tags')])).toEqual(['a', 'b']);
    await alice.run('regctl', ['tag', 'delete', alice.ref('tags:a')]);
    expect(await alice.lines('regctl', ['tag', 'ls', alice.ref('tags')])).toEqual(['b']);
    expect(await digest('tags:b')).toBe(image.digest);
  }, 120_000);

  it('lists repositories', async () => {
    expect(await alice.lines('regctl', ['repo', 'ls', alice.host])).toContain('alice/app');
  });

  /** Requests that the access log has with this method. */
  const patches = () => registry.events().filter(({ method }) => method === 'PATCH').length;
});
