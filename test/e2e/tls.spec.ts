// needs: openssl curl skopeo
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { writeImage } from '../clients/oci-layout.js';
import { blocksRunBy, commandsIn } from '../docs/commands.js';
import { SlowUpload } from '../bounds/slow-transfer.js';
import { aerugo } from '../cli/cli.js';
import { type Authority, type Certificate, makeAuthority } from '../support/certificates.js';
import { digestOf } from '../support/content.js';
import { eventually, freePort, run, scratchDirectory } from '../support/processes.js';
import type { Registry } from '../support/registry.js';
import { startToEnd } from './start-to-end.js';
import { mountedSecret, plainFiles } from './tls-files.js';
import { startLike, startWithTls } from './tls-node.js';

jest.setTimeout(120_000);

let authority: Authority;
let ca: string;
let pair: Certificate;
let registry: Registry;

beforeAll(async () => {
  authority = await makeAuthority();
  ca = readFileSync(authority.ca, 'utf8');
  pair = await authority.issue('registry');
  registry = await startWithTls(ca, mountedSecret(pair).env);
}, 120_000);

function connectTo({ url }: Registry): net.Socket {
  const { hostname, port } = new URL(url);
  return net.connect(Number(port), hostname).on('error', () => undefined);
}

async function handshake(options: tls.ConnectionOptions): Promise<string> {
  const { hostname, port } = new URL(registry.url);
  const socket = tls.connect({ host: hostname, port: Number(port), ca, ...options });
  try {
    await once(socket, 'secureConnect');
    return `${socket.getProtocol()} ${socket.alpnProtocol || '-'}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    socket.destroy();
  }
}

describe('a node with TLS', () => {
  it('says that it speaks HTTPS, and sends clients for tokens to where they came from', async () => {
    expect(registry.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const reply = await registry.client.raw('GET', '/v2/').expect(401);
    expect(reply.need('www-authenticate')).toContain(`realm="${registry.url}/api/v1/auth/token"`);
    await registry.client.raw('GET', '/api/docs').expect(200);
  });

  it('takes and gives images', async () => {
    const { digest, layers } = await registry.client.pushImage('admin/app', 'v1', { layers: [Buffer.alloc(3e6, 'a')] });
    await registry.client.getManifest('admin/app', 'v1').expect(200, { digest });
    expect((await registry.client.pullBlob('admin/app', layers[0]?.digest ?? '')).length).toBe(3e6);
  });

  it('is pushed to by aerugo push on this machine, whether its certificate is known or not trusted', async () => {
    const layout = scratchDirectory('layout');
    const { digest } = writeImage(layout, 'v1', [1_000]);
    const { username = '', password = '' } = registry.client.options;
    const push = (env: Record<string, string>) =>
      aerugo(
        ['push', layout, `${new URL(registry.url).host}/admin/pushed:v1`, '--username', username, '--password-stdin'],
        { input: password, env },
      );
    expect(await push({})).toMatchObject({ code: 1, stderr: expect.stringContaining('NODE_EXTRA_CA_CERTS') });
    expect(await push({ NODE_EXTRA_CA_CERTS: authority.ca })).toMatchObject({ code: 0 });
    await registry.client.getManifest('admin/pushed', 'v1').expect(200, { digest });
  });

  it('asks for a body that is expected to be asked for, and not where it is refused', async () => {
    const send = async (authorization: string): Promise<{ status: number | undefined; wasAsked: boolean }> => {
      const upload = await registry.client.startUpload('admin/app');
      const headers = { authorization, expect: '100-continue', 'content-type': 'application/octet-stream' };
      const bytes = Buffer.alloc(100_000, 'b');
      const request = await registry.client.open('PUT', `${upload.path}?digest=${digestOf(bytes)}`, {
        ...headers,
        'content-length': `${bytes.length}`,
      });
      let wasAsked = false;
      request.once('continue', () => {
        wasAsked = true;
        request.end(bytes);
      });
      request.flushHeaders();
      const [{ statusCode }] = (await once(request, 'response')) as [{ statusCode?: number }];
      request.destroy();
      return { status: statusCode, wasAsked };
    };
    const token = await registry.client.token('repository:admin/app:pull,push');
    expect(await send(`Bearer ${token}`)).toEqual({ status: 201, wasAsked: true });
    expect(await send('Bearer wrong')).toEqual({ status: 401, wasAsked: false });
  });

  it('speaks TLS 1.2 and 1.3 and nothing older, and HTTP/1.1 to whoever asks', async () => {
    expect(await handshake({ maxVersion: 'TLSv1.2' })).toBe('TLSv1.2 -');
    expect(await handshake({ ALPNProtocols: ['h2', 'http/1.1'] })).toBe('TLSv1.3 http/1.1');
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    expect(await handshake(old)).toMatch(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/);
  });

  it('tells a client that speaks plain HTTP what is wrong', async () => {
    const reply = await fetch(registry.url.replace('https:', 'http:') + '/v2/');
    expect({ status: reply.status, body: await reply.json() }).toEqual({
      status: 400,
      body: { errors: [expect.objectContaining({ message: expect.stringContaining('speaks HTTPS') })] },
    });
  });

  it('cuts off who does not come to the end of a handshake, and goes on for others meanwhile', async () => {
    const silent = connectTo(registry);
    const half = connectTo(registry);
    half.write(Buffer.from('16030100f8010000f4', 'hex'));
    const closed = Promise.all([once(silent, 'close'), once(half, 'close')]);
    connectTo(registry).end('nothing that anybody would understand\r\n\r\n');
    await registry.client.raw('GET', '/livez').expect(200);
    await closed;
    await registry.client.raw('GET', '/livez').expect(200);
    expect(registry.events().filter(({ level, msg }) => Number(level) >= 40 || /TLS|SSL/.test(String(msg)))).toEqual(
      [],
    );
  });

  it('is what skopeo pushes to and pulls from', async () => {
    const layout = scratchDirectory('layout');
    writeImage(layout, 'v1', [1_000]);
    const certificates = scratchDirectory('authorities');
    copyFileSync(authority.ca, path.join(certificates, 'ca.crt'));
    const image = `docker://${new URL(registry.url).host}/admin/copied:v1`;
    const login = `${registry.username}:${registry.password}`;
    const to = ['--dest-cert-dir', certificates, '--dest-creds', login];
    await run('skopeo', ['copy', ...to, `oci:${layout}:v1`, image]);
    const from = ['--src-cert-dir', certificates, '--src-creds', login];
    await run('skopeo', ['copy', ...from, image, `oci:${scratchDirectory('pulled')}:v1`]);
  });

  it('drains: what runs comes to its end, nobody is let in, and a handshake does not hold it', async () => {
    const upload = await SlowUpload.begin(registry.client, 'admin/app', Buffer.from('begun '));
    await once(connectTo(registry), 'connect'); // and never a handshake
    await registry.client.raw('GET', '/livez').expect(200);
    process.kill(registry.pid, 'SIGTERM');
    await eventually('the drain', () => registry.events().some(({ event }) => event === 'draining'));
    await expect(once(connectTo(registry), 'connect')).rejects.toThrow();
    upload.send(Buffer.from('and ended'));
    upload.end();
    expect((await upload.answered).status).toBe(202);
    expect(await registry.exited).toBe(0);
    registry = await startLike(registry);
  });
});

describe('aerugo beside a node with TLS', () => {
  it('health and user believe the certificate of the settings, whoever it is for', async () => {
    const port = await freePort();
    const files = plainFiles(await authority.issue('public', 'DNS:registry.example.com'));
    const env = { LISTEN_ADDRESS: `127.0.0.1:${port}`, ...files.env };
    const node = await startWithTls(ca, env);
    const ok = { code: 0, stdout: 'ok: database ok, store ok, cache ok\n', stderr: '' };
    expect(await aerugo(['health'], { env })).toEqual(ok);
    const { DATA_DIR = '', ADMIN_PASSWORD = '', JWT_SECRET = '' } = node.env;
    const settings = { ...env, DATA_DIR, ADMIN_PASSWORD, JWT_SECRET };
    const created = await aerugo(['user', 'create', 'alice', '--generate', '--json'], { env: settings });
    expect({ code: created.code, stderr: created.stderr }).toEqual({ code: 0, stderr: '' });

    // Half renewed: the node keeps the old pair, whose key is still there.
    files.replace('cert', (await authority.issue('next', 'DNS:registry.example.com')).cert);
    expect(await aerugo(['health'], { env })).toEqual(ok);
    const foreign = plainFiles(await authority.issue('foreign')).env;
    const refused = await aerugo(['user', 'create', 'bob', '--generate'], { env: { ...settings, ...foreign } });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('shows another certificate') });
    expect(await aerugo(['health'], { env: { ...env, ...foreign } })).toMatchObject({ code: 1, stdout: '' });
    const elsewhere = await aerugo(['health', '--url', registry.url]);
    expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining('UNABLE_TO_VERIFY') });
    const env2 = { NODE_EXTRA_CA_CERTS: authority.ca };
    expect(await aerugo(['health', '--url', registry.url], { env: env2 })).toMatchObject({ code: 0 });
  });
});

describe('a start with TLS that cannot succeed', () => {
  it.each([
    [
      'a file that is not there',
      (good: Certificate) => [good.cert, '/nowhere/tls.key'],
      /TLS_KEY_FILE cannot be read \(ENOENT\): \/nowhere/,
    ],
    [
      'a certificate that is none',
      (good: Certificate) => [good.key, good.key],
      /TLS_CERT_FILE has no certificate in PEM/,
    ],
    ['a key that is none', (good: Certificate) => [good.cert, good.cert], /TLS_KEY_FILE has no private key in PEM/],
    [
      'the key of another',
      (good: Certificate, other: Certificate) => [good.cert, other.key],
      /TLS_KEY_FILE is not the key of/,
    ],
    [
      'a key with a passphrase',
      async (good: Certificate) => [good.cert, await encrypted(good.key)],
      /TLS_KEY_FILE is encrypted.*openssl pkey/,
    ],
  ] as const)('because of %s says so in one line', async (_, choose, message) => {
    const [cert = '', key = ''] = await choose(pair, await authority.issue('other'));
    const env = { DATA_DIR: scratchDirectory('refused'), TLS_CERT_FILE: cert, TLS_KEY_FILE: key };
    const { code, stderr } = await startToEnd(env).ended;
    expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, lines: 1 });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/PRIVATE KEY/);
  });

  async function encrypted(key: string): Promise<string> {
    const { stdout } = await run('openssl', ['pkey', '-in', key, '-aes256', '-passout', 'pass:hunter22']);
    const file = path.join(scratchDirectory('encrypted'), 'tls.key');
    writeFileSync(file, stdout);
    return file;
  }
});

it('docs/DEPLOYMENT.md: a certificate for a try, and a request with it', async () => {
  const directory = scratchDirectory('try');
  const commands = blocksRunBy('test/e2e/tls.spec.ts', 'docs/DEPLOYMENT.md').flatMap(({ text }) => commandsIn(text));
  const [make = '', ask = ''] = ['openssl', 'curl'].map((name) => commands.find((one) => one.startsWith(name)));
  await run('bash', ['-c', make], { cwd: directory });
  const [cert, key] = ['tls.crt', 'tls.key'].map((name) => path.join(directory, name));
  const env = { TLS_CERT_FILE: cert ?? '', TLS_KEY_FILE: key ?? '' };
  const node = await startWithTls(readFileSync(cert ?? '', 'utf8'), env);
  const { port } = new URL(node.url);
  const { stdout } = await run('bash', ['-c', ask.replace('8080', port)], { cwd: directory });
  expect(JSON.parse(stdout)).toMatchObject({ status: 'ok' });
});
