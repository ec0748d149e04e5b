// needs: openssl
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, createServer, get, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { Agent as SecureAgent, createServer as createSecureServer, get as getSecurely } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { releasingReceived } from '../../src/storage/s3/release-received.js';
import { withIdleTimeout } from '../../src/storage/s3/idle-timeout.js';
import { makeAuthority } from '../support/certificates.js';

jest.setTimeout(30_000);

const PATTERN = Buffer.from(Array.from({ length: 4_000_037 }, (_, at) => (at * 7 + (at >> 8) * 13 + (at >> 16)) % 256));
const READS = 400;
const AT_ONCE = 16;

/** The same for each run: a failure can be seen again. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** `/from/to/how`: bytes of the pattern, in pieces from one byte to all at once, with what HTTP lets an answer have. */
const answer: RequestListener = ({ url = '', method }, response) => {
  const [, from = '0', to = '0', how = '0'] = url.split('/');
  const roll = dice(Number(from) + Number(to));
  const bytes = PATTERN.subarray(Number(from), Number(to));
  const kind = Number(how) % 4;
  if (kind === 1) response.writeProcessing();
  if (kind === 2) response.writeEarlyHints({ link: '</a>; rel=preload' });
  const headers = {
    'content-type': 'application/octet-stream',
    ...(kind > 1 ? {} : { 'content-length': bytes.length }),
  };
  response.writeHead(206, kind === 3 && method === 'GET' ? { ...headers, trailer: 'x-end' } : headers);
  if (method === 'HEAD') return void response.end();
  const pieces = [1, 100, 5_000, 65_536, 300_000, bytes.length];
  void (async () => {
    for (let at = 0; at < bytes.length && !response.destroyed;) {
      const end = at + Math.max(1, pieces[roll(pieces.length)] ?? 1);
      if (!response.write(bytes.subarray(at, end)))
        await Promise.race([once(response, 'drain'), once(response, 'close')]);
      at = end;
      if (roll(8) === 0) await turn();
    }
    if (kind === 3 && !response.destroyed) response.addTrailers({ 'x-end': 'whole' });
    response.end();
  })();
};

interface Store {
  readonly ask: typeof get;
  readonly agent: Agent;
  readonly port: number;
}

interface Read {
  readonly from: number;
  readonly to: number;
  readonly how: number;
}

describe('what a connection to the store receives', () => {
  const servers: Server[] = [];
  const agents: Agent[] = [];
  const stores: Record<string, Store> = {};

  async function listen(server: Server): Promise<number> {
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  }

  const watched = <A extends Agent>(agent: A): A => {
    agents.push(agent);
    return withIdleTimeout(releasingReceived(agent), 11_000);
  };

  beforeAll(async () => {
    const authority = await makeAuthority();
    const { cert, key } = await authority.issue('store');
    const files = { cert: readFileSync(cert), key: readFileSync(key) };
    const sockets = { keepAlive: true, maxSockets: AT_ONCE / 2 };
    stores['http'] = { ask: get, agent: watched(new Agent(sockets)), port: await listen(createServer(answer)) };
    stores['https'] = {
      ask: getSecurely,
      agent: watched(new SecureAgent({ ...sockets, ca: readFileSync(authority.ca) })),
      port: await listen(createSecureServer(files, answer)),
    };
  });
  afterAll(() => {
    for (const agent of agents) agent.destroy();
    for (const server of servers) server.close().closeAllConnections();
  });

  /** Reads one as a client of the registry would have it read: at once, slowly, with long rests, or not to its end. */
  async function read(
    { ask, agent, port }: Store,
    { from, to, how }: Read,
    roll: ReturnType<typeof dice>,
  ): Promise<string> {
    const method = roll(12) === 0 ? 'HEAD' : 'GET';
    const request = ask({ agent, port, host: '127.0.0.1', path: `/${from}/${to}/${how}`, method }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const manner = roll(5);
    const givesUpAt = manner === 4 ? roll(to - from) : Infinity;
    const chunks: Buffer[] = [];
    let length = 0;
    if (manner === 2) await sleep(roll(80)); // the socket, the parser and the answer are full meanwhile
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= givesUpAt) break;
      if (manner === 1) await turn();
      if (manner === 3 && roll(20) === 0) await sleep(roll(10));
    }
    const expected = PATTERN.subarray(from, method === 'HEAD' ? from : to);
    const received = Buffer.concat(chunks); // late: what was given back meanwhile would be seen here
    if (!received.equals(expected.subarray(0, length))) return `other bytes of ${from}-${to} (${how})`;
    const isWhole = length === expected.length || length >= givesUpAt;
    return isWhole ? 'right' : `${length} bytes of ${from}-${to} (${how})`;
  }

  it.each(['http', 'https'])('arrives whole, however it is sent and read, over %s', async (scheme) => {
    const store = stores[scheme];
    if (store === undefined) throw new Error(scheme);
    const roll = dice(7);
    const results = new Map<string, number>();
    let left = READS;
    const lane = async (): Promise<void> => {
      while (left-- > 0) {
        const from = roll(PATTERN.length);
        const longest = [10, 3_000, 200_000, PATTERN.length][roll(4)] ?? 1;
        const to = Math.min(PATTERN.length, from + 1 + roll(longest));
        const result = await read(store, { from, to, how: roll(4) }, roll);
        results.set(result, (results.get(result) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    expect(Object.fromEntries(results)).toEqual({ right: READS });
  });

  it('is nobody’s when it was not asked for: the next answer is its own', async () => {
    // A store, or what is before it, that answers twice: at once, in one piece with the first, or a moment later.
    const reply = (text: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
    const server = createTcpServer((socket) => {
      let asked = 0;
      socket
        .on('error', () => undefined)
        .on('data', (request) => {
          const path = /^GET \/(\w+)/.exec(request.toString('latin1'))?.[1] ?? '';
          asked += 1;
          socket.write(asked === 1 && path.startsWith('twice') ? reply(path) + reply('stolen') : reply(path));
          if (asked === 1 && path.startsWith('late')) setTimeout(() => socket.write(reply('stolen')), 20);
        });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const agent = watched(new Agent({ keepAlive: true, maxSockets: 1 }));
    const { port } = server.address() as AddressInfo;
    const ask = async (name: string): Promise<string> => {
      const request = get({ agent, port, host: '127.0.0.1', path: `/${name}` });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      const chunks: Buffer[] = [];
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    };
    const answers: string[] = [];
    for (const name of ['twice1', 'after1', 'late1', 'after2']) {
      answers.push(await ask(name).catch(() => 'none'));
      await sleep(60);
    }
    server.close();
    expect(answers).not.toContain('stolen');
    expect(answers.filter((text) => text !== 'none').length).toBeGreaterThanOrEqual(3);
  });
});
