// needs: nginx
import { beforeAll, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/processes.js';
import { RegistryClient } from '../support/registry-client.js';
import { CarefulClient } from './careful-client.js';
import { Cluster } from './cluster.js';
import { pullBlob } from './image-transfer.js';
import { pushBlob } from './blob-upload.js';
import { Load } from './load.js';
import { startStackProxy } from './nginx.js';
import { mebibytes, report, seconds } from './report.js';
import { RequestLog } from './request-log.js';
import { PATIENCE_MS, scale } from './scale.js';
import { seededBlob } from './seeded-blob.js';
import { verify } from './verify.js';

let cluster: Cluster;
let certificate: string;

beforeAll(async () => {
  cluster = await Cluster.start({
    // As docker-compose.yml has it: the store has no name that clients know.
    env: { STORAGE_REDIRECT: 'false' },
    balancer: async (ports) => {
      const proxy = await startStackProxy(ports);
      certificate = proxy.certificate;
      return proxy.url;
    },
  });
}, PATIENCE_MS);

it(
  'the stack of docker-compose.yml takes a layer of any size through TLS, and gives it back',
  async () => {
    const { url, credentials } = cluster;
    const log = new RequestLog();
    const client = new CarefulClient(url, credentials, log, PATIENCE_MS, certificate);
    const blob = seededBlob('stack', scale.stack.layerBytes);
    const started = Date.now();
    await pushBlob(client, `${credentials.username}/stack`, blob, 'stream');
    const pushed = Date.now();
    await pullBlob(client, `${credentials.username}/stack`, blob).finally(() => {
      client.close();
    });
    report('stack', {
      bytes: mebibytes(blob.size),
      push: seconds(pushed - started),
      pull: seconds(Date.now() - pushed),
      retries: log.retries,
    });
    expect(log.retries).toBe(0);
  },
  PATIENCE_MS,
);

it(
  'hands on names that are written with %2F as they were written, and says its own address',
  async () => {
    const client = new CarefulClient(cluster.url, cluster.credentials, new RequestLog(), 30_000, certificate);
    const scope = 'repository:admin/stack:pull';
    await client.request('GET', '/v2/admin%2Fstack/tags/list', scope);
    const begun = await client.request('POST', '/v2/admin/stack/blobs/uploads/', 'repository:admin/stack:pull,push', {
      headers: { 'content-length': '0' },
    });
    client.close();
    // The log is written a moment later.
    await eventually('/v2/admin%2Fstack/tags/list in the log of a node', () =>
      cluster.nodes.some((node) => node.events().some(({ path }) => path === '/v2/admin%2Fstack/tags/list')),
    );
    expect(begun.expect(202).need('location')).toMatch(
      new RegExp(`^(?:${cluster.url})?/v2/admin/stack/blobs/uploads/`),
    );
  },
  PATIENCE_MS,
);

it(
  'hands on a request for a token for hundreds of repositories, and the token',
  async () => {
    const { username, password } = cluster.credentials;
    const client = new RegistryClient({ url: cluster.url, username, password, ca: certificate });
    const invented = Array.from({ length: 400 }, (_, i) => `repository:admin/${'n'.repeat(65)}-${String(i)}:pull`);
    const scopes = [...invented, 'repository:admin/stack:pull'].map((scope): [string, string] => ['scope', scope]);
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const url = `/api/v1/auth/token?${new URLSearchParams([['service', 'aerugo'], ...scopes]).toString()}`;
    expect(url.length).toBeGreaterThan(40_000);
    const { token } = (await client.raw('GET', url, { headers: { authorization } }).expect(200)).json<{
      token: string;
    }>();
    await client.raw('GET', '/v2/admin/stack/tags/list', { headers: { authorization: `Bearer ${token}` } }).expect(200);
    client.close();
  },
  PATIENCE_MS,
);

it(
  'one node that is killed and stays away is noticed by no client',
  async () => {
    const { url, credentials } = cluster;
    const { images, seconds: time, downSeconds } = scale.stack;
    const load = new Load({
      ...{ url, credentials, certificate, clients: 6, images, seconds: time },
      ...{ largestLayer: scale.largestLayer, name: 'stack' },
    });
    const running = load.run();
    await sleep(time * 300);
    await cluster.node(1).kill();
    await sleep(downSeconds * 1_000);
    await cluster.killNode(1); // which starts it again
    await running; // throws what a client could do nothing about
    const { lost, corrupt, checked } = await verify(cluster, load.acknowledged);
    report('stack: one node down', {
      images: load.acknowledged.images.length,
      bytes: mebibytes(load.bytes),
      pulls: load.pulls,
      requests: load.log.requests,
      'failed requests': load.log.failed,
      retries: load.log.retries,
      'failures that a user sees': 0,
      'checks afterwards': checked,
      lost: lost.length,
      corrupt: corrupt.length,
    });
    expect({ lost, corrupt }).toEqual({ lost: [], corrupt: [] });
    expect(load.acknowledged.images).toHaveLength(images);
  },
  PATIENCE_MS,
);
