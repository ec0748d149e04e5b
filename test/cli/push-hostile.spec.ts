import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeImage } from '../clients/oci-layout.js';
import { type Finished, scratchDirectory } from '../support/processes.js';
import { aerugo } from './cli.js';

jest.setTimeout(30_000);

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const UPLOAD = '/api/v1/repos/acme/app/blobs/uploads/1';
const MiB = Buffer.alloc(1 << 20, ' ');

/** What a registry may answer that wants to harm whoever pushes to it. */
describe('aerugo push to a hostile registry', () => {
  let layout: string;
  const servers: Server[] = [];

  beforeAll(() => {
    layout = scratchDirectory('layout');
    writeImage(layout, 'v1', [1_000]);
  });
  afterAll(() => {
    for (const server of servers) server.close().closeAllConnections();
  });

  /** One that has no blob; `answer` is for uploads. */
  async function pushTo(answer: Answer, ...options: string[]): Promise<Finished> {
    const server = createServer((request, response) => {
      if (request.url === '/v2/') response.end();
      else if (request.method === 'HEAD') response.writeHead(404).end();
      else answer(request, response);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return aerugo(['push', layout, `127.0.0.1:${port}/acme/app:1`, ...options], {
      env: { NODE_OPTIONS: '--max-old-space-size=256' },
    });
  }

  it('reads no answer without end', async () => {
    let sent = 0;
    const { code, stderr } = await pushTo((_, response) => {
      const more = (): void => {
        while (sent < 512 && !response.destroyed && response.write(MiB)) sent += 1;
        if (sent >= 512) response.end();
        else if (!response.destroyed) response.once('drain', more);
      };
      response.writeHead(500);
      more();
    });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('too long') });
    expect(sent).toBeLessThan(256);
  });

  it.each([
    ['more parts than the blob has', { parts: { size: 1, count: 2 ** 31 } }],
    ['fewer', { parts: { size: 1, count: 1 } }],
    ['no number', { parts: { size: '1000', count: 1 } }],
    ['parts of nothing', { parts: { size: 0, count: 1 } }],
    ['a file', { put: { url: 'file:///dev/null', headers: {} } }],
    ['no address', { put: { url: 'http://[', headers: {} } }],
    ['no headers', { put: { url: 'http://127.0.0.1:9/', headers: 7 } }],
    ['a header that is none', { put: { url: 'http://127.0.0.1:9/', headers: { 'a\nb': 'c' } } }],
  ])('refuses a direct upload of %s at once', async (_, started) => {
    const { code, stderr } = await pushTo((request, response) => {
      if (request.url?.startsWith('/api/') !== true) response.writeHead(405).end();
      else response.writeHead(201, { location: UPLOAD }).end(JSON.stringify(started));
    });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^aerugo: the registry names no /m) });
  });

  it.each(['file:///etc/passwd', 'http://[', 'javascript:0'])('goes to no upload at %s', async (location) => {
    const { code, stderr } = await pushTo((_, response) => response.writeHead(202, { location }).end(), '--no-direct');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^aerugo: the registry names no /m) });
  });
});
