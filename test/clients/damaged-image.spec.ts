// needs: crane oras regctl skopeo
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { ClientUser } from './client-user.js';
import { writeImage } from './oci-layout.js';
import { uniqueName } from '../conformance/documents.js';
import type { Descriptor } from '../support/content.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { DAMAGES, objectsOf } from '../support/stored-objects.js';

type Push = (layout: string, target: string) => [program: string, args: string[]];

const PUSHES = {
  skopeo: (layout, target) => ['skopeo', ['copy', '--dest-tls-verify=false', `oci:${layout}:v1`, `docker://${target}`]],
  crane: (layout, target) => ['crane', ['push', layout, target]],
  regctl: (layout, target) => ['regctl', ['image', 'copy', `ocidir://${layout}:v1`, target]],
  'regctl --force-recursive': (layout, target) => [
    'regctl',
    ['image', 'copy', '--force-recursive', `ocidir://${layout}:v1`, target],
  ],
  oras: (layout, target) => ['oras', ['copy', '--from-oci-layout', `${layout}:v1`, '--to-plain-http', target]],
} as const satisfies Record<string, Push>;

/** What the table of docs/clients.md says: clients that find the manifest may send no layer. */
describe('an image with a damaged layer, pushed again', () => {
  let registry: Registry;
  let alice: ClientUser;

  beforeAll(async () => {
    registry = await startRegistry();
    alice = await ClientUser.signUp(registry, 'alice');
    const input = alice.password;
    await alice.run('skopeo', ['login', '--tls-verify=false', '-u', 'alice', '--password-stdin', alice.host], {
      input,
    });
    await alice.run('crane', ['auth', 'login', '-u', 'alice', '--password-stdin', alice.host], { input });
    await alice.run('regctl', ['registry', 'set', '--skip-check', '--tls', 'disabled', alice.host]);
    await alice.run('regctl', ['registry', 'login', '-u', 'alice', '--pass-stdin', alice.host], { input });
  }, 120_000);

  it.each([
    ['skopeo', 'the same tag', true],
    ['crane', 'the same tag', false],
    ['crane', 'another tag', true],
    ['regctl', 'the same tag', false],
    ['regctl', 'another tag', true],
    ['regctl --force-recursive', 'the same tag', true],
    ['oras', 'another tag', false],
    ['oras', 'another repository', true],
  ] as const)(
    'by %s to %s: whole again is %s',
    async (client, where, isWhole) => {
      const repository = uniqueName('app');
      const layout = alice.file(repository);
      const { digest } = writeImage(layout, 'v1', [1_000, 50_000]);
      const [program, args] = PUSHES['skopeo'](layout, alice.ref(`${repository}:v1`));
      await alice.run(program, args);
      const layer = layerOf(layout, digest);
      for (const key of await objectsOf(registry, layer)) await DAMAGES.deleted(registry, key);
      await alice.client.getBlob(`alice/${repository}`, layer).expect(404);

      const names = {
        'the same tag': `${repository}:v1`,
        'another tag': `${repository}:v2`,
        'another repository': `${repository}-new:v1`,
      };
      const [command, options] = PUSHES[client](layout, alice.ref(names[where]));
      const { code } = await alice.run(command, options, { anyCode: true });
      await alice.client.headBlob(`alice/${repository}`, layer).expect(isWhole ? 200 : 404);
      // Of those that send nothing oras alone says that something is wrong.
      expect(code === 0).toBe(isWhole || client !== 'oras');
    },
    120_000,
  );
});

function layerOf(layout: string, manifest: string): string {
  const file = path.join(layout, 'blobs', 'sha256', manifest.slice('sha256:'.length));
  const { layers } = JSON.parse(readFileSync(file, 'utf8')) as { layers: Descriptor[] };
  return layers.at(-1)?.digest ?? '';
}
