// needs: cosign crane
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startRegistry } from '../support/registry.js';
import { ClientUser } from './client-user.js';
import { writeImage } from './oci-layout.js';

// No transparency log: it is a service on the internet.
const SIGN = ['--yes', '--tlog-upload=false', '--allow-http-registry'];
const VERIFY = ['--insecure-ignore-tlog=true', '--allow-http-registry'];

describe('cosign', () => {
  let alice: ClientUser;

  beforeAll(async () => {
    alice = await ClientUser.signUp(await startRegistry(), 'alice');
    const login = ['login', alice.host, '--username', alice.username, '--password-stdin'];
    await alice.run('cosign', login, { input: alice.password });
    await cosign(['generate-key-pair']);
  }, 120_000);

  const cosign = (args: string[], options: { anyCode?: boolean; env?: Record<string, string> } = {}) =>
    alice.run('cosign', args, { ...options, env: { COSIGN_PASSWORD: 'of the key', ...options.env } });
  const publicKey = () => ['--key', alice.file('cosign.pub')];
  const privateKey = () => ['--key', alice.file('cosign.key')];

  /** Pushes an image that nobody has signed, and gives its reference by digest. */
  const pushed = async (name: string) => {
    const image = writeImage(alice.file(name), 'v1', [1_000]);
    await alice.run('crane', ['push', image.directory, alice.ref(`${name}:v1`)]);
    return alice.ref(`${name}@${image.digest}`);
  };

  it('signs with a key, and verifies', async () => {
    const reference = await pushed('signed');
    await cosign(['sign', ...SIGN, ...privateKey(), reference]);
    const { stdout } = await cosign(['verify', ...VERIFY, ...publicKey(), reference]);
    const [, digest] = reference.split('@');
    expect(JSON.parse(stdout)).toMatchObject([{ critical: { image: { 'docker-manifest-digest': digest } } }]);
  }, 60_000);

  it('does not verify what nobody has signed', async () => {
    const refused = await cosign(['verify', ...VERIFY, ...publicKey(), await pushed('unsigned')], { anyCode: true });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/no signatures found/);
  }, 60_000);

  it('signs again, and both signatures are there', async () => {
    const reference = await pushed('signed-twice');
    for (const stage of ['test', 'release'])
      await cosign(['sign', ...SIGN, ...privateKey(), '-a', `stage=${stage}`, reference]);
    const { stdout } = await cosign(['verify', ...VERIFY, ...publicKey(), '-a', 'stage=release', reference]);
    expect(JSON.parse(stdout)).toMatchObject([{ optional: { stage: 'release' } }]);
    await cosign(['verify', ...VERIFY, ...publicKey(), '-a', 'stage=test', reference]);
  }, 60_000);

  it('attests, and verifies the attestation', async () => {
    const reference = await pushed('attested');
    const predicate = alice.write('predicate.json', '{"tested":"yes"}');
    await cosign(['attest', ...SIGN, ...privateKey(), '--type', 'custom', '--predicate', predicate, reference]);
    const args = ['verify-attestation', ...VERIFY, ...publicKey(), '--type', 'custom', reference];
    const { payload } = JSON.parse((await cosign(args)).stdout) as { payload: string };
    expect(Buffer.from(payload, 'base64').toString()).toContain('tested');
  }, 60_000);

  it('keeps a signature as a referrer, with no tag, when it is told to', async () => {
    const reference = await pushed('referred');
    const [name = '', digest = ''] = reference.split('@');
    const env = { COSIGN_EXPERIMENTAL: '1' };
    await cosign(['sign', ...SIGN, ...privateKey(), '--registry-referrers-mode=oci-1-1', reference], { env });
    await cosign(['verify', ...VERIFY, ...publicKey(), '--experimental-oci11=true', reference], { env });
    expect(await alice.lines('crane', ['ls', name])).toEqual(['v1']);
    const referrers = (await alice.client.referrers('alice/referred', digest).expect(200)).json();
    expect(referrers).toMatchObject({
      manifests: [{ artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json' }],
    });
  }, 60_000);
});
