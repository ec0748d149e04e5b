import { beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { readByteranges } from '../../../../test/support/byteranges.js';
import { eventually } from '../../../../test/support/processes.js';
import type { ByteRange } from '../../../oci/content-range.js';
import { sendBytes } from '../send-bytes.js';
import { type MultipartBody, openRanges } from './multipart-ranges.js';

const SIZE = 1_000_000;
const CHUNK = 1_000;
const content = randomBytes(SIZE);

let opened: { range: ByteRange; stream: Readable }[];

beforeEach(() => {
  opened = [];
});

/** As the stores give them: chunks with memory of their own, which is taken back once they are sent. */
function open(range: ByteRange): Promise<Readable> {
  const chunks = function* (): Generator<Buffer> {
    for (let at = range.start; at <= range.end; at += CHUNK)
      yield Buffer.from(Uint8Array.from(content.subarray(at, Math.min(at + CHUNK, range.end + 1))).buffer);
  };
  const stream = Readable.from(chunks(), { objectMode: false });
  opened.push({ range, stream });
  return Promise.resolve(stream);
}

const rangesOf = (...pairs: [number, number][]): ByteRange[] => pairs.map(([start, end]) => ({ start, end }));

async function partsOf(ranges: readonly ByteRange[]): Promise<void> {
  const body = await openRanges(ranges, SIZE, open);
  const bytes = await buffer(body.bytes);
  expect(bytes).toHaveLength(body.length);
  const parts = readByteranges(body.contentType, bytes);
  expect(parts.map(({ range }) => range)).toEqual(ranges.map(({ start, end }) => `bytes ${start}-${end}/${SIZE}`));
  for (const [index, { start, end }] of ranges.entries()) {
    expect(parts[index]?.bytes.equals(content.subarray(start, end + 1))).toBe(true);
  }
}

describe('several ranges in one answer', () => {
  it('are parts in the order asked for, with exactly their bytes', async () => {
    await partsOf(rangesOf([0, 0], [500_000, 500_999], [10, 20], [999_999, 999_999], [15, 3_500]));
  });

  it('are right wherever they begin and end in the chunks of the store', async () => {
    for (const [start, end] of [
      [0, 999],
      [1, 998],
      [999, 1_000],
      [1_000, 2_999],
      [500, 3_500],
    ] as const) {
      await partsOf(rangesOf([start, end], [end + 1, end + 1], [end + 900, end + 2_100]));
    }
  });

  it('that lie near each other are read in one go, others each by itself, one after the other', async () => {
    await partsOf(rangesOf([0, 9], [20, 29], [65_000, 70_000], [200_000, 200_009], [100, 109]));
    expect(opened.map(({ range }) => [range.start, range.end])).toEqual([
      [0, 70_000],
      [200_000, 200_009],
      [100, 109],
    ]);
    expect(opened.every(({ stream }) => stream.destroyed)).toBe(true);
  });

  it('have the object looked at once', async () => {
    const looked: boolean[] = [];
    const ranges = rangesOf([500_000, 500_009], [0, 9], [900_000, 900_009]);
    const body = await openRanges(ranges, SIZE, (range, isFirst) => {
      looked.push(isFirst);
      return open(range);
    });
    await buffer(body.bytes);
    expect(looked).toEqual([true, false, false]);
  });

  it('have another boundary in each answer', async () => {
    const bodies = [await openRanges(rangesOf([0, 1]), SIZE, open), await openRanges(rangesOf([0, 1]), SIZE, open)];
    expect(bodies[0]?.contentType).not.toBe(bodies[1]?.contentType);
  });

  it('fail before the first byte when the store cannot open the first', async () => {
    const failing = openRanges(rangesOf([0, 1], [5, 6]), SIZE, () => Promise.reject(new Error('no such object')));
    await expect(failing).rejects.toThrow('no such object');
  });
});

describe('an answer that cannot be completed', () => {
  async function serve(body: MultipartBody, pull: (response: http.IncomingMessage) => Promise<unknown>) {
    let sent: Promise<string> = Promise.resolve('');
    const server = http.createServer((_, response) => {
      response.writeHead(206, { 'content-length': body.length });
      sent = sendBytes(body.bytes, response, { sent: null }).then(
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
    return { pulled, outcome };
  }

  it('ends the connection when the object is shorter than its row', async () => {
    const short = (range: ByteRange): Promise<Readable> => open({ ...range, end: Math.min(range.end, 700_000) });
    const body = await openRanges(rangesOf([0, 9], [600_000, 800_000]), SIZE, short);
    const { pulled, outcome } = await serve(body, buffer);
    expect(pulled).toBeNull();
    expect(outcome).toContain('the object ends at 700001');
  });

  it('ends the connection when a later range cannot be opened', async () => {
    let count = 0;
    const body = await openRanges(rangesOf([0, 9], [600_000, 800_000]), SIZE, (range) =>
      count++ === 0 ? open(range) : Promise.reject(new Error('the store is gone')),
    );
    const { pulled, outcome } = await serve(body, buffer);
    expect(pulled).toBeNull();
    expect(outcome).toContain('the store is gone');
  });

  it('frees the stream of the store when the client leaves', async () => {
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(100_000));
      },
    });
    const ranges = rangesOf([0, 1], [1_000_000, 1e12]);
    const body = await openRanges(ranges, 2e12, (range) =>
      range.start === 0 ? open(range) : Promise.resolve(endless),
    );
    const { outcome } = await serve(body, async (response) => {
      await once(response, 'data');
      response.destroy();
    });
    expect(outcome).not.toBe('sent');
    await eventually('the stream is closed', () => endless.destroyed);
    expect(opened.every(({ stream }) => stream.destroyed)).toBe(true);
  });
});
