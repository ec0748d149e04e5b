import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { withIdleTimeout } from './idle-timeout.js';

const SILENCE_MS = 2_000;
/** More than the kernel takes at once. */
const BODY = Buffer.alloc(64 * 2 ** 20);
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let server: Server;
let agent: Agent;

async function serve(talk: (socket: Socket) => void): Promise<number> {
  server = createServer((socket) => {
    socket.on('error', () => undefined); // the client ends it
    talk(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  agent = withIdleTimeout(new Agent({ keepAlive: true }), SILENCE_MS);
  return (server.address() as AddressInfo).port;
}

/** The answer's status, or the name of the error. */
function send(port: number, body: Buffer): Promise<number | string> {
  return new Promise((resolve) => {
    const headers = { 'content-length': body.length };
    request({ agent, port, method: 'PUT', host: '127.0.0.1', headers }, (response) => {
      response.resume().once('end', () => {
        resolve(response.statusCode ?? 0);
      });
    })
      .once('error', ({ name }) => {
        resolve(name);
      })
      .end(body);
  });
}

afterEach(() => {
  agent.destroy();
  server.close();
});

describe('a connection that may not be silent', () => {
  it('ends when the store takes none of the bytes', async () => {
    const port = await serve((socket) => socket.pause());
    expect(await send(port, BODY)).toBe('TimeoutError');
  }, 30_000);

  it('ends when the store stops in the middle of them', async () => {
    const port = await serve((socket) => socket.once('data', () => socket.pause()));
    expect(await send(port, BODY)).toBe('TimeoutError');
  }, 30_000);

  it('ends when the store took all of them and says nothing', async () => {
    const port = await serve((socket) => socket.resume());
    expect(await send(port, Buffer.alloc(1))).toBe('TimeoutError');
  }, 30_000);

  it('does not end while bytes are taken, however long that lasts', async () => {
    let taken = 0;
    const port = await serve((socket) => {
      socket.on('data', ({ length }) => {
        taken += length;
        socket.pause();
        setTimeout(() => socket.resume(), 3);
        if (taken > BODY.length) socket.write(ANSWER);
      });
    });
    const startedAt = performance.now();
    expect(await send(port, BODY)).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThan(SILENCE_MS);
  }, 60_000);

  it('serves request after request, and watches each', async () => {
    let requests = 0;
    const sockets = new Set<Socket>();
    const port = await serve((socket) => {
      sockets.add(socket);
      socket.on('data', () => ++requests < 3 && socket.write(ANSWER));
    });
    expect([await send(port, Buffer.alloc(0)), await send(port, Buffer.alloc(0))]).toEqual([200, 200]);
    expect(await send(port, Buffer.alloc(0))).toBe('TimeoutError');
    expect(sockets.size).toBe(1);
  }, 30_000);
});
