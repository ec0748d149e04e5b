// needs: regsync
// once: it is about the tokens that it asks for, which no store sees
// long: hundreds of repositories
import { beforeAll, describe, expect, it } from '@jest/globals';
import { report, seconds } from '../cluster/report.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { ClientUser } from './client-user.js';
import { writeImage, type WrittenImage } from './oci-layout.js';

/** It asks for each token with everything that it has asked for before: the last is for all of them. */
const REPOSITORIES = 400;
const NAME_LENGTH = 70;

describe('regsync', () => {
  let registry: Registry;
  let alice: ClientUser;
  let image: WrittenImage;

  beforeAll(async () => {
    registry = await startRegistry();
    alice = await ClientUser.signUp(registry, 'alice');
    image = writeImage(alice.file('image'), 'v1', [1_000]);
  }, 120_000);

  const nameOf = (i: number): string => `repository-${String(i).padStart(3, '0')}-`.padEnd(NAME_LENGTH, 'x');

  /** What it is told to do, once. JSON is YAML. */
  function configuration(names: readonly string[]): string {
    const { host: hostname, username: user, password: pass } = alice;
    return alice.write(
      'regsync.yml',
      JSON.stringify({
        version: 1,
        creds: [{ registry: hostname, user, pass, tls: 'disabled', reqPerSec: 0 }],
        defaults: { parallel: 4, skipDockerConfig: true },
        sync: names.map((name) => ({
          source: `ocidir://${image.directory}:${image.tag}`,
          target: `${alice.ref(name)}:v1`,
          type: 'image',
        })),
      }),
    );
  }

  it(`copies ${REPOSITORIES} repositories with names of ${NAME_LENGTH} characters, all of them, in one run`, async () => {
    const names = Array.from({ length: REPOSITORIES }, (_, i) => nameOf(i));
    const started = Date.now();
    const { code, stderr } = await alice.run('regsync', ['once', '--config', configuration(names)], { anyCode: true });
    let copied = 0;
    for (const name of names) {
      const reply = await alice.client.headManifest(`alice/${name}`, 'v1');
      if (reply.status === 200 && reply.header('docker-content-digest') === image.digest) copied += 1;
    }
    const tokens = registry.events().filter(({ path }) => path === '/api/v1/auth/token');
    report('regsync', {
      copied: `${copied} of ${REPOSITORIES}`,
      tokens: tokens.length,
      time: seconds(Date.now() - started),
    });
    expect({ code, copied, errors: stderr.match(/level=ERROR.*/g) ?? [] }).toEqual({
      code: 0,
      copied: REPOSITORIES,
      errors: [],
    });
  }, 300_000);
});
