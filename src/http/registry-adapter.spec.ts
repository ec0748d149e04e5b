import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Request, Response } from 'express';
import { RegistryAdapter } from './registry-adapter.js';

describe('the server', () => {
  let server: http.Server;
  let port: number;

  beforeEach(async () => {
    const adapter = new RegistryAdapter();
    adapter.put('/upload', (request: Request, response: Response) => {
      request.resume().on('end', () => response.status(201).end());
    });
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
