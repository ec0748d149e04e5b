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

it('sends one traceparent with all that it asks of the registry, another in the next push, and none elsewhere', async () => {
  const sent: string[] = [];
  const answer: RequestListener = ({ url = '', headers }, response) => {
    const { traceparent, host = '' } = headers;
    sent.push(`${url.split('?')[0] ?? ''} ${String(traceparent)}`);
    const challenge = `Bearer realm="http://${host}/token"`;
    if (url === '/v2/' && headers.authorization === undefined)
      response.writeHead(401, { 'www-authenticate': challenge });
    response.end(JSON.stringify({ token: 'a-token' }));
  };
  const push = async (): Promise<void> => {
    const connection = await connectTo(answer);
    await connection.greet();
    await connection.call('HEAD', '/v2/acme/app/blobs/sha256:0');
    await connection.call('PUT', `http://localhost:${new URL(connection.target.origin).port}/elsewhere`);
    end?.();
  };
  await push();
  const first = /^00-[\da-f]{32}-[\da-f]{16}-01$/.exec(sent[0]?.split(' ')[1] ?? '')?.[0];
  expect(first).toBeDefined();
  const places = ['/v2/', '/token', '/v2/acme/app/blobs/sha256:0'];
  expect(sent).toEqual([...places.map((place) => `${place} ${String(first)}`), '/elsewhere undefined']);
  await push();
  expect(sent[4]).toMatch(/^\/v2\/ 00-/);
  expect(sent[4]).not.toContain(first);
});
