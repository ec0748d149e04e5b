import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectSecurely } from 'node:tls';
import type { Request, Response } from 'express';
import { makeAuthority } from '../../../test/support/certificates.js';
import { readCertificate } from '../../server/tls/certificate.js';
import { RegistryAdapter } from './registry-adapter.js';

describe('the server', () => {
  let server: http.Server;
  let port: number;
  /** Requests that are not answered, in their order. */
  let waiting: PromiseWithResolvers<Response>[];

  beforeEach(async () => {
    const adapter = new RegistryAdapter();
    adapter.put('/upload', (request: Request, response: Response) => {
      request.resume().on('end', () => response.status(201).end());
    });
    waiting = Array.from({ length: 3 }, () => Promise.withResolvers<Response>());
    let asked = 0;
    adapter.get('/waits', (_: Request, response: Response) => waiting[asked++]?.resolve(response));
    adapter.put('/refused', (_: Request, response: Response) => response.status(401).end());
    adapter.initHttpServer();
    server = adapter.getHttpServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });

  afterEach(() => {
    server.close().closeAllConnections();
  });

  /** Sends the body only when it is asked for. */
  async function putExpectingContinue(path: string): Promise<{ status: number | undefined; wasAsked: boolean }> {
    const headers = { expect: '100-continue', 'content-length': 5 };
    const request = http.request({ host: '127.0.0.1', port, path, method: 'PUT', headers });
    let wasAsked = false;
    request.on('continue', () => {
      wasAsked = true;
      request.end('hello');
    });
    request.flushHeaders();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    request.destroy();
    return { status: response.statusCode, wasAsked };
  }

  it('asks for a body that is read', async () => {
    expect(await putExpectingContinue('/upload')).toEqual({ status: 201, wasAsked: true });
  });

  it('does not ask for the body of a request that is refused', async () => {
    expect(await putExpectingContinue('/refused')).toEqual({ status: 401, wasAsked: false });
  });

  it('ends what waits for its turn on a connection that is gone', async () => {
    const client = connect(port, '127.0.0.1');
    client.write('GET /waits HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
    const [, second, third] = await Promise.all(waiting.map(({ promise }) => promise));
    const ends = Promise.all([second, third].map(async (response) => response && once(response, 'close')));
    client.destroy();
    await ends;
    expect([second?.closed, third?.closed]).toEqual([true, true]);
    second?.end('to nobody');
  });

  it('has no limit on how long a body takes, and one on headers', () => {
    expect([server.requestTimeout, server.headersTimeout]).toEqual([0, 20_000]);
  });

  it('tells paths of upper case apart', async () => {
    const [response] = (await once(
      http.request({ host: '127.0.0.1', port, path: '/UPLOAD', method: 'PUT' }).end(),
      'response',
    )) as [http.IncomingMessage];
    response.resume();
    expect([response.statusCode, response.headers['x-powered-by']]).toEqual([404, undefined]);
  });
});

describe('routes', () => {
  it('of /v2 are tried first, however late they are added, and nothing else sees what they take', async () => {
    const adapter = new RegistryAdapter();
    const asked: string[] = [];
    const answer =
      (name: string) =>
      (_: Request, response: Response): void => {
        response.end(name);
      };
    const asks = (name: string) => (request: Request, _: Response, next: () => void) => {
      asked.push(`${name} ${request.url}`);
      next();
    };
    adapter.use(asks('first of all'));
    adapter.useRegistryRoutes();
    adapter.use(asks('then'));
    adapter.get('/*any', answer('any'));
    adapter.get('/v2/*name/tags/list', answer('tags'));
    adapter.initHttpServer();
    const server: http.Server = adapter.getHttpServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const texts = ['/v2/a/b/tags/list?n=1', '/v2/a/b', '/v20/a/tags/list'].map(async (path) =>
      (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })).text(),
    );
    expect(await Promise.all(texts)).toEqual(['tags', 'any', 'any']);
    const options = await fetch(`http://127.0.0.1:${port}/v2/a/b/tags/list`, { method: 'OPTIONS' });
    expect(options.headers.get('allow')).toBe('GET, HEAD'); // of `/*any`: the application answers, not the router
    expect(asked.filter((line) => line.includes('/v2/a/b/tags/list?'))).toEqual(['first of all /v2/a/b/tags/list?n=1']);
    server.close();
  });
});

describe('a client that resets its connection as soon as its request is sent', () => {
  const ATTEMPTS = 20;
  const UPLOAD = 'PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n';
  let server: http.Server;
  let port: number;
  /** Of the requests that were handled. */
  let addresses: string[];
  let closed: number;

  async function start(adapter: RegistryAdapter): Promise<void> {
    addresses = [];
    closed = 0;
    adapter.put('/upload', (request: Request, response: Response) => {
      addresses.push(String(request.ip));
      response.end();
    });
    adapter.initHttpServer();
    server = adapter.getHttpServer();
    server.on('connection', (socket: Socket) => socket.once('close', () => (closed += 1)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  }

  async function haveClosed(count: number): Promise<void> {
    while (closed < count) await sleep(1);
  }

  afterEach(() => {
    server.close();
  });

  it('is not heard when it is gone before it is accepted', async () => {
    await start(new RegistryAdapter());
    // A process of its own, which this one waits for without accepting anything.
    const client = `const socket = require('net').connect(${port}, '127.0.0.1', () => {
      socket.write(${JSON.stringify(UPLOAD)});
      socket.resetAndDestroy();
    })`;
    execFileSync(process.execPath, ['-e', `for (let i = 0; i < ${ATTEMPTS}; i += 1) { ${client} }`]);
    await haveClosed(ATTEMPTS);
    expect(addresses).toEqual([]);
  });

  it('has an address when it was accepted before', async () => {
    await start(new RegistryAdapter());
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const client = connect(port, '127.0.0.1');
      await Promise.all([once(server, 'connection'), once(client, 'connect')]);
      client.write(UPLOAD);
      client.resetAndDestroy();
      await haveClosed(attempt);
    }
    expect(addresses).toEqual(Array(ATTEMPTS).fill('127.0.0.1'));
  });

  it('has an address over TLS', async () => {
    const { cert, key } = await (await makeAuthority()).issue('node');
    await start(new RegistryAdapter(await readCertificate({ certFile: cert, keyFile: key })));
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      const client = connectSecurely({ socket, rejectUnauthorized: false }).on('error', () => undefined);
      await Promise.all([once(server, 'secureConnection'), once(client, 'secureConnect')]);
      client.write(UPLOAD);
      await sleep(0);
      socket.resetAndDestroy();
      await haveClosed(attempt);
    }
    expect(addresses).toEqual(Array(ATTEMPTS).fill('127.0.0.1'));
  });
});
