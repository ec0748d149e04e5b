import { once } from 'node:events';
import net from 'node:net';
import { onFileEnd } from '../support/processes.js';

/**
 * A proxy on 127.0.0.1 before `port`. When `isMoment` first says so of what clients send, every connection stands still,
 * `happen` runs, and they are cut; later ones pass.
 */
export async function cuttingProxy(
  port: number,
  isMoment: (chunk: Buffer, totalBytes: number) => boolean,
  happen: () => Promise<void>,
): Promise<{ port: number; cuts: () => number }> {
  const open = new Set<net.Socket>();
  let total = 0;
  let cuts = 0;
  const server = net.createServer((client) => {
    const upstream = net.connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined).on('close', () => open.delete(socket));
    }
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
    client.on('data', (chunk) => {
      total += chunk.length;
      if (cuts > 0 || !isMoment(chunk, total)) return;
      cuts += 1;
      const standing = [...open];
      for (const socket of standing) socket.pause();
      void happen().then(() => {
        for (const socket of standing) socket.destroy();
      });
    });
    client.pipe(upstream).pipe(client);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onFileEnd(() => {
    for (const socket of open) socket.destroy();
    server.close();
    return Promise.resolve();
  });
  return { port: (server.address() as net.AddressInfo).port, cuts: () => cuts };
}
