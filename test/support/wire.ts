import net from 'node:net';
import tls from 'node:tls';

/** Sends bytes as they are, with `ca` through TLS, and gives all that comes back until the server closes. */
export async function onTheWire(url: string, bytes: string | Buffer, ca?: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const address = { port: Number(port), host: hostname };
  const socket = ca === undefined ? net.connect(address) : tls.connect({ ...address, ca });
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  // Whoever is still writing may see the connection reset before the answer.
  socket.on('error', () => undefined);
  socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(received).toString('latin1');
}
