// needs: openssl
// once: no store takes part in it
// long: it waits for connections to be given up
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { makeAuthority } from '../support/certificates.js';
import { eventually } from '../support/processes.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { onTheWire } from '../support/wire.js';

jest.setTimeout(120_000);

const lines = (...parts: string[]): string => parts.join('\r\n');
const REQUEST = lines('GET /v2/ HTTP/1.1', 'Host: x', 'Connection: close', '', '');
const VERSION_1 = `PROXY TCP4 203.0.113.9 198.51.100.7 51234 443\r\n`;
/** IPv4 over TCP, with two addresses and two ports. */
const VERSION_2 = Buffer.from('0d0a0d0a000d0a515549540a2111000ccb007109c6336407c82201bb', 'hex');
/** How docker begins, which tries TLS first wherever it is. */
const CLIENT_HELLO = Buffer.from('16030100c8010000c40303', 'hex');

const NODES: readonly (readonly [string, Record<string, string>, boolean])[] = [
  ['one process', {}, false],
  ['two workers', { WORKERS: '2' }, false],
  ['one process with TLS', {}, true],
  ['two workers with TLS', { WORKERS: '2' }, true],
];

describe.each(NODES)('what is refused before it is a request, by %s', (_, env, isSecure) => {
  let registry: Registry;
  let ca: string | undefined;

  beforeAll(async () => {
    const authority = await makeAuthority();
    const { cert, key } = await authority.issue('registry');
    ca = isSecure ? readFileSync(authority.ca, 'utf8') : undefined;
    const files = isSecure ? { TLS_CERT_FILE: cert, TLS_KEY_FILE: key } : {};
    const metrics = { METRICS_LISTEN_ADDRESS: '127.0.0.1:0' };
    registry = await startRegistry({ ...(ca === undefined ? {} : { ca }), env: { ...env, ...files, ...metrics } });
  });

  const refusedFor = (reason: string): Record<string, unknown>[] =>
    registry.events().filter((line) => line['event'] === 'request.refused' && line['reason'] === reason);

  async function counted(reason: string): Promise<number> {
    const { url } = registry.events().find(({ event }) => event === 'metrics') ?? {};
    const text = await (await fetch(String(url))).text();
    return Number(new RegExp(`^aerugo_http_refused_requests_total{reason="${reason}"} (\\d+)`, 'm').exec(text)?.[1]);
  }

  /** One line more, and one more in the metric. */
  async function isSeen(reason: string, status: number, ask: () => Promise<void>): Promise<void> {
    const before = { lines: refusedFor(reason).length, count: await counted(reason) };
    await ask();
    await eventually(`a line of ${reason}`, () => refusedFor(reason).length === before.lines + 1);
    expect(refusedFor(reason).at(-1)).toMatchObject({ level: 30, status, address: '127.0.0.1' });
    expect(await counted(reason)).toBe(before.count + 1);
  }

  async function openSocket(): Promise<net.Socket> {
    const { hostname: host, port } = new URL(registry.url);
    const at = { host, port: Number(port) };
    const socket = ca === undefined ? net.connect(at) : tls.connect({ ...at, ca });
    await once(socket, ca === undefined ? 'connect' : 'secureConnect');
    return socket;
  }

  /** The client is gone as soon as it has the first byte of its answer. */
  async function resetAfter(bytes: string): Promise<void> {
    const socket = await openSocket();
    socket.write(bytes);
    await once(socket, 'data');
    if (ca === undefined) socket.resetAndDestroy();
    else socket.destroy();
  }

  const wire = (bytes: string | Buffer, through = ca): Promise<string> => onTheWire(registry.url, bytes, through);

  it('takes a head of 63 KiB, and answers 431 to a longer one', async () => {
    const head = (bytes: number): string =>
      lines(
        `GET /v2/?${'a'.repeat(bytes / 2)} HTTP/1.1`,
        'Host: x',
        'Connection: close',
        `X: ${'b'.repeat(bytes / 2)}`,
      ) + '\r\n\r\n';
    expect(await wire(head(63 * 1024))).toMatch(/^HTTP\/1\.1 401 /);
    await isSeen('headersTooLarge', 431, async () => {
      expect(await wire(head(66 * 1024))).toMatch(/^HTTP\/1\.1 431 /);
    });
  });

  it('answers 400 to what is not HTTP', () =>
    isSeen('malformed', 400, async () => {
      expect(await wire('nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    }));

  it('tells a TLS handshake from what is nothing at all', () =>
    isSeen('tlsHandshake', 400, async () => {
      expect(await wire(CLIENT_HELLO)).toMatch(/^HTTP\/1\.1 400 /);
    }));

  it('answers 405 to CONNECT', () =>
    isSeen('connectMethod', 405, async () => {
      expect(await wire(lines('CONNECT example.com:443 HTTP/1.1', 'Host: x', '', ''))).toMatch(/^HTTP\/1\.1 405 /);
    }));

  it('goes on after a CONNECT whose client resets the connection, and keeps none whose client goes on sending', async () => {
    const connect = lines('CONNECT example.com:443 HTTP/1.1', 'Host: x', '', '');
    for (let i = 0; i < 20; i++) await resetAfter(connect);
    const socket = await openSocket();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined).write(connect);
    const sending = setInterval(() => socket.writable && socket.write('more'), 100);
    await closed.finally(() => {
      clearInterval(sending);
    });
    expect(await wire(lines('GET /livez HTTP/1.1', 'Host: x', 'Connection: close', '', ''))).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });

  it.each([
    ['version 1', Buffer.from(VERSION_1 + REQUEST)],
    ['version 2', Buffer.concat([VERSION_2, Buffer.from(REQUEST)])],
  ])('answers 400 to the PROXY protocol, %s, and says what it is', async (_version, bytes) => {
    await isSeen('proxyProtocol', 400, async () => {
      // With TLS it comes before the handshake.
      const answer = await wire(bytes, undefined);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('PROXY protocol');
    });
    const told = (): Record<string, unknown>[] =>
      registry.events().filter(({ level, msg }) => level === 40 && String(msg).includes('PROXY protocol'));
    await eventually('the warning', () => told().length > 0);
    expect(told()).toHaveLength(1); // a minute, however many come
    expect(registry.logs()).not.toMatch(/203\.0\.113|198\.51\.100/);
  });

  it.each([
    ['400', 'HTTP/1.1 without Host', lines('GET /v2/ HTTP/1.1', 'Connection: close', '', '')],
    [
      '417',
      'an expectation that nobody meets',
      lines('GET /v2/ HTTP/1.1', 'Host: x', 'Expect: the-unexpected', 'Connection: close', '', ''),
    ],
  ])('answers %s to %s, and logs it as a request', async (status, _what, text) => {
    const answered = (): number => registry.events().filter((line) => line['status'] === Number(status)).length;
    const before = answered();
    expect(await wire(text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    await eventually('its line', () => answered() === before + 1);
  });

  it('answers HTTP/1.0 without Host as it answers 1.1, and says where it was reached', async () => {
    const answer = await wire(lines('GET /v2/ HTTP/1.0', '', ''));
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer).toContain(`realm="${registry.url}/api/v1/auth/token"`);
    expect(await wire(lines('GET /livez HTTP/1.0', '', ''))).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('takes a token after two spaces', async () => {
    const { username, password } = registry.client.options;
    const basic = Buffer.from(`${String(username)}:${String(password)}`).toString('base64');
    const { token } = (
      await registry.client.raw('GET', '/api/v1/auth/token', { headers: { authorization: `Basic ${basic}` } })
    ).json<{ token: string }>();
    await registry.client.raw('GET', '/v2/', { headers: { authorization: `Bearer  ${token}` } }).expect(200);
  });

  it('says nothing of a connection that asks for nothing', async () => {
    const { hostname, port } = new URL(registry.url);
    const silent = net
      .connect(Number(port), hostname)
      .on('error', () => undefined)
      .resume();
    const before = registry.events().filter(({ event }) => event === 'request.refused').length;
    await once(silent, 'close');
    await registry.client.raw('GET', '/v2/').expect(401);
    await eventually('the next line', () => registry.events().at(-1)?.['path'] === '/v2/');
    expect(registry.events().filter(({ event }) => event === 'request.refused')).toHaveLength(before);
  });
});
