// needs: oras
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { startRegistry } from '../support/registry.js';
import { ClientUser } from './client-user.js';

const THING = 'application/vnd.example.thing';
const SBOM = 'application/vnd.example.sbom';
const SCAN = 'application/vnd.example.scan';

interface Discovered {
  manifests: { artifactType: string; digest: string; annotations?: Record<string, string> }[] | null;
}

describe('oras', () => {
  let alice: ClientUser;

  beforeAll(async () => {
    alice = await ClientUser.signUp(await startRegistry(), 'alice');
    const login = ['login', '--plain-http', '--username', alice.username, '--password-stdin', alice.host];
    await alice.run('oras', login, { input: alice.password });
  }, 120_000);

  /** Files are named as they are to arrive, so oras runs where they are. */
  const pushThing = async (reference: string, content: string) => {
    const cwd = path.dirname(alice.write(`${reference}/hello.txt`, content));
    const args = ['push', '--plain-http', '--artifact-type', THING, alice.ref(reference), 'hello.txt:text/plain'];
    await alice.run('oras', args, { cwd });
  };
  const attach = async (reference: string, type: string, content: string) => {
    const cwd = path.dirname(alice.write(`attached-${path.basename(type)}/file.json`, content));
    const args = ['attach', '--plain-http', '--artifact-type', type, '--annotation', `kind=${path.basename(type)}`];
    await alice.run('oras', [...args, alice.ref(reference), 'file.json:application/json'], { cwd });
  };
  const discover = async (reference: string, ...more: string[]) => {
    const args = ['discover', '--plain-http', '--format', 'json', ...more, alice.ref(reference)];
    return (JSON.parse((await alice.run('oras', args)).stdout) as Discovered).manifests ?? [];
  };

  it('pushes an artifact and pulls its files', async () => {
    await pushThing('thing:v1', 'hello, artifact');
    await alice.run('oras', ['pull', '--plain-http', '--output', alice.file('pulled'), alice.ref('thing:v1')]);
    expect(readFileSync(alice.file('pulled/hello.txt'), 'utf8')).toBe('hello, artifact');
    const manifest = await alice.client.getManifest('alice/thing', 'v1').expect(200);
    expect(manifest.json()).toMatchObject({ artifactType: THING });
  }, 60_000);

  it('attaches artifacts, and discovers them by the referrers API', async () => {
    await pushThing('base:v1', 'a base');
    await attach('base:v1', SBOM, '{"sbom":true}');
    await attach('base:v1', SCAN, '{"scan":true}');

    const all = await discover('base:v1');
    expect(all.map(({ artifactType }) => artifactType).sort()).toEqual([SBOM, SCAN]);
    expect(await discover('base:v1', '--artifact-type', SBOM)).toMatchObject([
      { artifactType: SBOM, annotations: { kind: 'vnd.example.sbom' } },
    ]);
    // Without the referrers API oras would have left its fallback tag `sha256-…`.
    expect(await alice.lines('oras', ['repo', 'tags', '--plain-http', alice.ref('base')])).toEqual(['v1']);
  }, 60_000);

  it('copies an artifact with everything that refers to it', async () => {
    await pushThing('source:v1', 'a source');
    await attach('source:v1', SBOM, '{"sbom":"of the source"}');
    const args = ['copy', '--recursive', '--from-plain-http', '--to-plain-http'];
    await alice.run('oras', [...args, alice.ref('source:v1'), alice.ref('copied:v1')]);

    const [from, to] = [await discover('source:v1'), await discover('copied:v1')];
    expect(to.map(({ digest }) => digest)).toEqual(from.map(({ digest }) => digest));
    expect(to).toHaveLength(1);
  }, 60_000);

  it('resolves, lists, and deletes', async () => {
    await pushThing('listed:v1', 'to be listed');
    expect(await alice.lines('oras', ['repo', 'ls', '--plain-http', alice.host])).toContain('alice/listed');
    const [digest = ''] = await alice.lines('oras', ['resolve', '--plain-http', alice.ref('listed:v1')]);
    await alice.run('oras', ['manifest', 'delete', '--force', '--plain-http', alice.ref(`listed@${digest}`)]);
    const gone = await alice.run('oras', ['resolve', '--plain-http', alice.ref('listed:v1')], { anyCode: true });
    expect(gone.code).not.toBe(0);
    expect(gone.stderr).toMatch(/not found/);
  }, 60_000);
});
