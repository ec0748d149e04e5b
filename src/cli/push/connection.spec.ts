import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { Connection } from './connection.js';
import { parseTarget } from './target.js';

let end: (() => void) | null = null;
afterEach(() => end?.());

async function connectTo(answer: RequestListener): Promise<Connection> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  end = () => {
    server.close();
    server.closeAllConnections();
  };
  const { port } = server.address() as AddressInfo;
  return new Connection(parseTarget(`127.0.0.1:${port}/acme/app:1`, false), null, new AbortController().signal);
}

it('waits for as long as a registry asks whose limit is reached before the login', async () => {
  const connection = await connectTo((_, response) => response.writeHead(429, { 'retry-after': '44' }).end());
  await expect(connection.greet()).rejects.toMatchObject({ afterSeconds: 44 });
});

it('waits for as long as a token service asks', async () => {
  const connection = await connectTo((request, response) => {
    if (request.url === '/v2/') {
      const realm = `http://${request.headers.host ?? ''}/token`;
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end();
    } else response.writeHead(429, { 'retry-after': '44' }).end();
  });
  await expect(connection.greet()).rejects.toMatchObject({ afterSeconds: 44 });
});
