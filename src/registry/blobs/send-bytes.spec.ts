import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { sendBytes } from './send-bytes.js';

/** Serves one answer from the source, and gives what came of it on both sides. */
async function serve(source: Readable, length: number, pull: (response: http.IncomingMessage) => Promise<Buffer>) {
  let sent: Promise<string> | undefined;
  const progress = { sent: null as number | null };
  const server = http.createServer((_, response) => {
    response.writeHead(200, { 'content-length': length });
    sent = sendBytes(source, response, progress).then(
      () => 'sent',
      (error: unknown) => String(error),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const request = http.get({ port: (server.address() as AddressInfo).port, agent: false });
  request.on('error', () => undefined);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const pulled = await pull(response).catch(() => null);
  const outcome = await sent;
  server.close();
  return { pulled, outcome, sent: progress.sent };
}

function source(chunks: Buffer[], then: () => void = () => undefined): Readable {
  return Readable.from(
    (function* () {
      yield* chunks;
      then();
    })(),
    { objectMode: false },
  );
}

const fresh = () => Array.from({ length: 50 }, (_, index) => Buffer.alloc(100_000, index + 1));

describe('sending bytes', () => {
  it('sends all of them, and gives their memory back', async () => {
    const chunks = fresh();
    const { pulled, outcome, sent } = await serve(source(chunks), 5_000_000, buffer);
    expect({ outcome, sent }).toEqual({ outcome: 'sent', sent: 5_000_000 });
    expect(pulled?.equals(Buffer.concat(fresh()))).toBe(true);
    expect(chunks.every(({ length }) => length === 0)).toBe(true);
  });

  it('cuts the answer off when the source fails', async () => {
    const failing = source(fresh(), () => {
      throw new Error('the disk is gone');
    });
    const { pulled, outcome, sent } = await serve(failing, 6_000_000, buffer);
    expect(pulled).toBeNull();
    expect(sent).toBeLessThanOrEqual(5_000_000);
    expect(outcome).toContain('the disk is gone');
  });

  it('ends the source when the client leaves', async () => {
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(100_000));
      },
    });
    const { outcome } = await serve(endless, 1e12, (response) => {
      response.destroy();
      return Promise.reject(new Error('left'));
    });
    expect(outcome).not.toBe('sent');
    expect(endless.destroyed).toBe(true);
  });
});
