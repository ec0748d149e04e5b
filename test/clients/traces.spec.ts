// needs: skopeo
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Collector, SERVER, type Span } from '../support/collector.js';
import { startDockerd, type Dockerd } from '../support/dockerd.js';
import { eventually, run, scratchDirectory } from '../support/processes.js';
import { startRegistry } from '../support/registry.js';
import { ClientUser } from './client-user.js';
import { buildImage } from './docker-images.js';
import { writeImage } from './oci-layout.js';

// Neither sends a `traceparent`: what makes their pushes one trace is the token.
describe('one push', () => {
  let collector: Collector;
  let alice: ClientUser;
  let dockerd: Dockerd;

  beforeAll(async () => {
    collector = await Collector.start();
    const [registry, daemon] = await Promise.all([startRegistry({ env: collector.env }), startDockerd()]);
    dockerd = daemon;
    alice = await ClientUser.signUp(registry, 'alice');
  }, 120_000);

  /** All requests about the repository, once its manifest is there. */
  async function requestsOf(name: string): Promise<Span[]> {
    const spans = () => collector.spans.filter(({ attributes }) => attributes['aerugo.repository'] === `alice/${name}`);
    const isManifest = (span: Span): boolean => span.name === 'PUT /v2/{name}/manifests/{reference}';
    await eventually('the manifest', () => spans().some(isManifest));
    return spans();
  }

  function expectOneTrace(requests: readonly Span[]): void {
    const traces = new Set(requests.map(({ traceId }) => traceId));
    expect([...traces]).toHaveLength(1);
    const [traceId = ''] = traces;
    const begun = collector.inTrace(traceId).filter(({ parentSpanId }) => parentSpanId === '');
    expect(begun.map(({ kind, name }) => [kind, name])).toEqual([
      [SERVER, expect.stringMatching(/^(GET|POST) \/api\/v1\/auth\/token$/)],
    ]);
    const names = requests.map(({ name }) => name);
    expect(names.filter((name) => name === 'PUT /v2/{name}/blobs/uploads/{id}')).toHaveLength(4);
    expect(names).toContain('PATCH /v2/{name}/blobs/uploads/{id}');
  }

  it('of docker is one trace, which begins with its token', async () => {
    await dockerd.docker(['login', '--username', alice.username, '--password-stdin', alice.host], {
      input: alice.password,
    });
    await buildImage(dockerd, alice.ref('docker:v1'), [100, 100_000, 12 << 20]);
    await dockerd.docker(['push', alice.ref('docker:v1')]);
    expectOneTrace(await requestsOf('docker'));
  }, 120_000);

  it('of skopeo is, too', async () => {
    const layout = scratchDirectory('layout');
    writeImage(layout, 'v1', [100, 100_000, 12 << 20]);
    const login = ['--dest-tls-verify=false', '--dest-creds', `${alice.username}:${alice.password}`];
    const target = `docker://${alice.ref('skopeo:v1')}`;
    await run('skopeo', ['--insecure-policy', 'copy', ...login, `oci:${layout}:v1`, target]);
    expectOneTrace(await requestsOf('skopeo'));
  }, 120_000);
});
