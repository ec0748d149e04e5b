// needs: squid openssl versitygw
// once: its servers are its own
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { aerugo } from '../cli/cli.js';
import { writeImage } from '../clients/oci-layout.js';
import { type Authority, type Certificate, makeAuthority } from '../support/certificates.js';
import { Collector } from '../support/collector.js';
import { type ForwardProxy, startForwardProxy } from '../support/forward-proxy.js';
import { eventually, onFileEnd, scratchDirectory } from '../support/processes.js';
import { freshDatabase } from '../support/postgres.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { freshBucket, type S3Bucket } from '../support/s3.js';
import { startToEnd } from './start-to-end.js';

jest.setTimeout(180_000);

const S3 = 's3.elsewhere.test';
const COLLECTOR = 'collector.elsewhere.test';
const REGISTRY = 'registry.elsewhere.test';
const SECRET = randomBytes(32).toString('hex');

let proxy: ForwardProxy;
let bucket: S3Bucket;
let authority: Authority;

beforeAll(async () => {
  [proxy, bucket, authority] = await Promise.all([
    startForwardProxy([S3, COLLECTOR, REGISTRY]),
    freshBucket('versitygw'),
    makeAuthority(),
  ]);
}, 120_000);

interface Terminator {
  readonly port: number;
  renew: (pair: Certificate) => void;
}

/** TLS before the S3 server. */
async function terminate(pair: Certificate): Promise<Terminator> {
  const read = ({ cert, key }: Certificate) => ({ cert: readFileSync(cert), key: readFileSync(key) });
  const { port } = new URL(bucket.endpoint);
  const sockets = new Set<Socket>();
  const server = tls.createServer(read(pair), (client) => {
    const upstream = net.connect(Number(port), '127.0.0.1');
    sockets.add(client);
    client.on('error', () => upstream.destroy()).pipe(upstream);
    upstream.on('error', () => client.destroy()).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onFileEnd(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
    return Promise.resolve();
  });
  return {
    port: (server.address() as AddressInfo).port,
    renew: (next) => {
      server.setSecureContext(read(next));
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** What each registry here must do whatever is between it and its store: large parts, reads, the probe of direct uploads. */
async function useStore({ client }: Registry): Promise<void> {
  await client.pushImage('admin/app', 'v1');
  const bytes = Buffer.alloc(9 * 2 ** 20, 'x');
  const upload = await client.startUpload('admin/app');
  await upload.patch(`0-${bytes.length - 1}`, bytes).expect(202);
  await client.getManifest('admin/app', 'v1').expect(200);
  await client.raw('GET', '/readyz').expect(200);
}

function settings(endpoint: string, variables: Record<string, string>): Record<string, string> {
  return { ...bucket.env, S3_ENDPOINT: endpoint, S3_PATH_STYLE: 'true', STORAGE_REDIRECT: 'false', ...variables };
}

describe('S3 that only a proxy reaches', () => {
  it('is used over http through HTTP_PROXY', async () => {
    const endpoint = `http://${S3}:${new URL(bucket.endpoint).port}`;
    const before = proxy.requests().length;
    const registry = await startRegistry({ store: bucket, env: settings(endpoint, { HTTP_PROXY: proxy.url }) });
    await useStore(registry);
    const asked = proxy.requests().slice(before);
    expect(asked.some((line) => line.startsWith(`PUT ${endpoint}/`))).toBe(true);
    expect(registry.logs()).not.toContain(proxy.password);
  });

  it('is used over https through https_proxy, as a tunnel, with an authority of its own', async () => {
    const { port } = await terminate(await authority.issue('s3', `DNS:${S3}`));
    const variables = { https_proxy: proxy.url, HTTPS_PROXY: 'http://127.0.0.1:1', S3_CA_FILE: authority.ca };
    const registry = await startRegistry({ store: bucket, env: settings(`https://${S3}:${port}`, variables) });
    await useStore(registry);
    expect(proxy.requests()).toContain(`CONNECT ${S3}:${port}`);
    expect(registry.logs()).not.toContain(proxy.password);
  });

  it('says what to correct when the proxy wants a password', async () => {
    const { url } = await freshDatabase();
    const base = { DATABASE_URL: url, JWT_SECRET: SECRET, DATA_DIR: scratchDirectory('data') };
    const plain = `http://${S3}:${new URL(bucket.endpoint).port}`;
    for (const [endpoint, name] of [
      [plain, 'HTTP_PROXY'],
      [`https://${S3}:1`, 'HTTPS_PROXY'],
    ] as const) {
      const { stderr } = await startToEnd({ ...base, ...settings(endpoint, { [name]: proxy.bareUrl }) }).ended;
      expect(stderr).toMatch(new RegExp(`^Aerugo cannot start: [^\n]*the proxy [^\n]*${name}[^\n]*\n$`));
    }
  });

  it('is reached without the proxy where NO_PROXY names its network', async () => {
    const { port } = new URL(bucket.endpoint);
    const before = proxy.requests().length;
    const env = settings(`http://127.0.0.1:${port}`, { HTTP_PROXY: 'http://127.0.0.1:1', NO_PROXY: '127.0.0.0/8' });
    await useStore(await startRegistry({ store: bucket, env }));
    expect(proxy.requests()).toHaveLength(before);
  });
});

describe('S3 with an authority of its own', () => {
  it('is refused with the name of the setting while that names none', async () => {
    const { port } = await terminate(await authority.issue('unknown'));
    const { url } = await freshDatabase();
    const env = { DATABASE_URL: url, JWT_SECRET: SECRET, ...settings(`https://localhost:${port}`, {}) };
    const { stderr } = await startToEnd(env).ended;
    expect(stderr).toMatch(/^Aerugo cannot start: .*signed by no authority known here: name that in S3_CA_FILE\n$/);
  });

  it('is refused where the file of the setting has no certificate', async () => {
    const file = path.join(scratchDirectory('ca'), 'ca.pem');
    writeFileSync(file, 'this is no certificate\n');
    const { url } = await freshDatabase();
    const env = { DATABASE_URL: url, JWT_SECRET: SECRET, ...settings('https://localhost:1', { S3_CA_FILE: file }) };
    const { stderr } = await startToEnd(env).ended;
    expect(stderr).toBe(`Aerugo cannot start: S3_CA_FILE has no certificate in PEM: ${file}\n`);
  });

  it('is believed as the file says, also when both change while the node runs', async () => {
    const file = path.join(scratchDirectory('ca'), 'ca.pem');
    copyFileSync(authority.ca, file);
    const server = await terminate(await authority.issue('first'));
    const env = settings(`https://localhost:${server.port}`, { S3_CA_FILE: file });
    const registry = await startRegistry({ store: bucket, env });
    await useStore(registry);
    const other = await makeAuthority();
    server.renew(await other.issue('second'));
    await eventually(
      'the store is not believed',
      async () => (await registry.client.raw('GET', '/readyz')).status === 503,
    );
    copyFileSync(other.ca, file);
    await eventually('it is again', async () => (await registry.client.raw('GET', '/readyz')).status === 200);
    await useStore(registry);
  });
});

describe('others that are spoken to over HTTP', () => {
  it('traces go through the proxy', async () => {
    const collector = await Collector.start();
    const env = {
      HTTP_PROXY: proxy.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${COLLECTOR}:${collector.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '100',
    };
    const registry = await startRegistry({ store: 'filesystem', env });
    await registry.client.pushImage('admin/app', 'v1');
    await eventually('spans have come', () => collector.spans.length > 0);
    expect(proxy.requests()).toContain(`POST http://${COLLECTOR}:${collector.port}/v1/traces`);
    expect(registry.logs()).not.toContain(proxy.password);
  });

  it('aerugo push goes through the proxy, and to localhost without it', async () => {
    const registry = await startRegistry({ store: 'filesystem' });
    const { port } = new URL(registry.url);
    const layout = scratchDirectory('layout');
    writeImage(layout, 'v1', [1_000]);
    const push = (host: string, variables: Record<string, string>) =>
      aerugo(
        ['push', layout, `${host}:${port}/admin/app:v1`, '--insecure', '--username', 'admin', '--password-stdin'],
        {
          input: `${registry.password}\n`,
          env: variables,
        },
      );
    const far = await push(REGISTRY, { http_proxy: proxy.url });
    expect({ code: far.code, stderr: far.code === 0 ? '' : far.stderr }).toEqual({ code: 0, stderr: '' });
    expect(proxy.requests().some((line) => line.includes(`http://${REGISTRY}:${port}/v2/`))).toBe(true);
    expect(`${far.stdout}${far.stderr}`).not.toContain(proxy.password);
    expect((await push('localhost', { http_proxy: 'http://127.0.0.1:1' })).code).toBe(0);
  });
});
