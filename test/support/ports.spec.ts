import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import net from 'node:net';
import { freePort, isListening } from './processes.js';

/** So many of 12768 would be drawn twice: the chance that they are not is one in a million. */
const MANY = 600;
const DISTANCE = 10_000;

describe('freePort', () => {
  it('gives no port twice, of all that are asked for before anything listens', async () => {
    const single = await Promise.all(Array.from({ length: MANY / 2 }, () => freePort()));
    const pairs = await Promise.all(Array.from({ length: MANY / 2 }, () => freePort(DISTANCE)));
    const all = [...single, ...pairs, ...pairs.map((port) => port + DISTANCE)];
    expect(new Set(all).size).toBe(all.length);
    // None that the kernel may give meanwhile to somebody who asks for any.
    expect(Math.min(...all)).toBeGreaterThanOrEqual(10_000);
    expect(Math.max(...all)).toBeLessThan(32_768);
  });

  it('gives a port that a server takes, leaves and takes again', async () => {
    const port = await freePort();
    for (let round = 0; round < 2; round++) {
      expect(await isListening(port)).toBe(false);
      const server = net.createServer().listen(port, '127.0.0.1');
      await once(server, 'listening');
      expect(await isListening(port)).toBe(true);
      await once(server.close(), 'close');
    }
  });
});
