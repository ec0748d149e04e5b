// needs: helm
import { beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, readFileSync } from 'node:fs';
import { startRegistry } from '../support/registry.js';
import { ClientUser } from './client-user.js';

describe('helm', () => {
  let alice: ClientUser;

  beforeAll(async () => {
    alice = await ClientUser.signUp(await startRegistry(), 'alice');
    const login = ['registry', 'login', '--plain-http', '--username', alice.username, '--password-stdin', alice.host];
    await alice.run('helm', login, { input: alice.password });
    await alice.run('helm', ['create', 'web']);
  }, 120_000);

  const chart = (name: string) => `oci://${alice.ref(name)}`;
  const push = async (version: string) => {
    await alice.run('helm', ['package', 'web', '--version', version, '--destination', alice.file('packages')]);
    const archive = alice.file(`packages/web-${version}.tgz`);
    await alice.run('helm', ['push', '--plain-http', archive, chart('charts')]);
    return archive;
  };

  it('pushes a chart and pulls the same archive', async () => {
    const archive = await push('0.1.0');
    const pulled = alice.file('pulled');
    mkdirSync(pulled);
    const args = ['pull', '--plain-http', chart('charts/web'), '--version', '0.1.0', '--destination', pulled];
    await alice.run('helm', args);
    expect(readFileSync(`${pulled}/web-0.1.0.tgz`)).toEqual(readFileSync(archive));
  }, 60_000);

  it('keeps the media types of a chart as they were pushed', async () => {
    await push('0.2.0');
    const manifest = (await alice.client.getManifest('alice/charts/web', '0.2.0').expect(200)).json();
    expect(manifest).toMatchObject({
      config: { mediaType: 'application/vnd.cncf.helm.config.v1+json' },
      layers: [{ mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' }],
      annotations: { 'org.opencontainers.image.title': 'web' },
    });
  }, 60_000);

  it('finds the newest version of a range by the list of tags, and renders it', async () => {
    for (const version of ['1.0.0', '1.2.0', '2.0.0']) await push(version);
    const range = ['show', 'chart', '--plain-http', chart('charts/web'), '--version', '^1'];
    expect((await alice.run('helm', range)).stdout).toMatch(/^version: 1\.2\.0$/m);
    const { stdout } = await alice.run('helm', ['template', '--plain-http', 'demo', chart('charts/web')]);
    expect(stdout).toMatch(/helm\.sh\/chart: web-2\.0\.0/);
  }, 120_000);

  it('cannot pull a private chart after it has logged out', async () => {
    await push('0.3.0');
    const away = { HELM_REGISTRY_CONFIG: alice.file('logged-out.json') };
    const show = ['show', 'chart', '--plain-http', chart('charts/web'), '--version', '0.3.0'];
    const refused = await alice.run('helm', show, { env: away, anyCode: true });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/401|unauthorized/i);
  }, 60_000);
});
