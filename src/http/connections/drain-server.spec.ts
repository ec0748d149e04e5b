import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { drainServer } from './drain-server.js';

const NEVER = new AbortController().signal;
const servers: http.Server[] = [];

/** A server that answers when it is told to. */
async function start(): Promise<{ server: http.Server; port: number; pending: http.ServerResponse[] }> {
  const pending: http.ServerResponse[] = [];
  const server = http.createServer((_, response) => pending.push(response)).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return { server, port: (server.address() as net.AddressInfo).port, pending };
}

async function get(
  port: number,
  agent: http.Agent,
): Promise<{ status: number | undefined; connection: string | undefined }> {
  const [response] = (await once(http.get({ port, host: '127.0.0.1', agent }), 'response')) as [http.IncomingMessage];
  response.resume();
  return { status: response.statusCode, connection: response.headers.connection };
}

describe('draining a server', () => {
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  it('lets a running request finish, and closes its connection although the client would keep it', async () => {
    const { server, port, pending } = await start();
    const agent = new http.Agent({ keepAlive: true });
    const answer = get(port, agent);
    await once(server, 'request');
    const drained = drainServer(server, 60_000, NEVER);
    pending[0]?.end();
    expect((await answer).status).toBe(200);
    expect(await drained).toBe(true);
    agent.destroy();
  });

  it('refuses new connections at once', async () => {
    const { server, port, pending } = await start();
    const answer = get(port, new http.Agent());
    await once(server, 'request');
    const drained = drainServer(server, 60_000, NEVER);
    await expect(once(net.connect(port, '127.0.0.1'), 'connect')).rejects.toThrow();
    pending[0]?.end();
    await answer;
    await drained;
  });

  it('cuts off what has not finished when its time is over', async () => {
    const { server, port } = await start();
    const answer = get(port, new http.Agent());
    await once(server, 'request');
    const [refused, drained] = await Promise.allSettled([answer, drainServer(server, 1, NEVER)]);
    expect(refused.status).toBe('rejected');
    expect(drained).toEqual({ status: 'fulfilled', value: false });
  });

  it('cuts off at once when it has to hurry', async () => {
    const { server, port } = await start();
    const answer = get(port, new http.Agent());
    await once(server, 'request');
    const hurry = new AbortController();
    const [, drained] = await Promise.allSettled([
      answer,
      drainServer(server, 3_600_000, hurry.signal),
      Promise.resolve().then(() => {
        hurry.abort();
      }),
    ]);
    expect(drained).toEqual({ status: 'fulfilled', value: false });
  });

  it('has nothing to do for a server that does not listen', async () => {
    expect(await drainServer(http.createServer(), 60_000, NEVER)).toBe(true);
  });
});
