import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { releasingReceived } from './release-received.js';

const BODY = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => at % 251));

describe('a connection that gives back what it has received', () => {
  it('gives whole answers, one after the other, and keeps nothing of them', async () => {
    const server = createServer((_, response) => response.end(BODY));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const agent = releasingReceived(new Agent({ keepAlive: true, maxSockets: 1 }));
    const received: Buffer[] = [];
    const create = agent.createConnection.bind(agent);
    agent.createConnection = (...args) =>
      (create(...args) as Socket).on('data', (chunk: Buffer) => {
        received.push(chunk);
      });

    for (let at = 0; at < 3; at++) {
      const request = get({ agent, port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      expect((await buffer(answer)).equals(BODY)).toBe(true);
    }
    agent.destroy();
    server.close();
    expect(received.length).toBeGreaterThan(10);
    expect(received.filter(({ length }) => length > 0)).toEqual([]);
  });
});
