import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { answerUnreadable } from './unreadable-request.js';

describe('what never becomes a request', () => {
  let server: http.Server;

  beforeAll(async () => {
    server = http.createServer((request, response) => {
      // Begins to answer and never ends, as a pull does whose client sends more meanwhile.
      if (request.url === '/endless') response.writeHead(200).write('begun');
      else response.end('fine');
    });
    server.on('clientError', (error: Error, socket: Duplex) => {
      answerUnreadable(error, socket, () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterAll(() => {
    server.close().closeAllConnections();
  });

  async function answerTo(...pieces: string[]): Promise<string> {
    const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    for (const [i, piece] of pieces.entries()) {
      socket.write(piece);
      if (i < pieces.length - 1) await once(socket, 'data');
    }
    await closed;
    return Buffer.concat(chunks).toString();
  }

  const bodyOf = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

  it('is answered 431 when its headers are too large', async () => {
    const answer = await answerTo(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
    expect(answer).toContain('\r\nX-Content-Type-Options: nosniff\r\n');
    expect(bodyOf(answer)).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] });
  });

  it('is answered 400 when it is not HTTP', async () => {
    const answer = await answerTo('nonsense\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(bodyOf(answer)).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] });
  });

  it('never gets into an answer that has begun', async () => {
    const answer = await answerTo('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n', 'nonsense\r\n\r\n');
    expect(answer).toContain('begun');
    expect(answer).not.toContain('400');
  });
});
