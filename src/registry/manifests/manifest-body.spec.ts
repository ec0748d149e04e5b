import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { bodyMemory } from '../../../test/support/body-memory.js';
import { NODE_SHARE } from '../../fairness/share.js';
import { readManifestBody, refuseEncoding } from './manifest-body.js';

interface Incoming {
  readonly request: Request;
  readonly body: PassThrough;
  readonly client: AbortController;
}

function incoming(headers: Record<string, string> = {}): Incoming {
  const body = new PassThrough();
  const client = new AbortController();
  const request = Object.assign(body, {
    headers,
    context: { signal: client.signal, share: NODE_SHARE },
  }) as unknown as Request;
  return { request, body, client };
}

const MIB = 2 ** 20;
const condition = (name: string) => expect.objectContaining({ condition: name });

describe('the body of a pushed manifest', () => {
  it('is read as it came, whatever its pieces', async () => {
    const { request, body } = incoming();
    const reading = readManifestBody(request, bodyMemory().open(request), 10);
    for (const piece of ['{"a"', ':', ' 1 }']) body.write(piece);
    body.end();
    expect((await reading).toString()).toBe('{"a": 1 }');
  });

  it('is whole only for a caller who still may', async () => {
    const { request, body } = incoming();
    request.context.authorization = { renew: () => Promise.reject(new Error('denied')) };
    const reading = readManifestBody(request, bodyMemory().open(request), 10);
    body.end('{}');
    await expect(reading).rejects.toThrow('denied');
  });

  it('may be empty, which is for the parser to refuse', async () => {
    const { request, body } = incoming();
    body.end();
    expect(await readManifestBody(request, bodyMemory().open(request), 10)).toHaveLength(0);
  });

  it('may have exactly the largest size', async () => {
    const { request, body } = incoming({ 'content-length': '4' });
    body.end('{  }');
    expect(await readManifestBody(request, bodyMemory().open(request), 4)).toHaveLength(4);
  });

  it('is refused before it is read when its announced length is too large', async () => {
    const { request, body } = incoming({ 'content-length': '11' });
    const reading = readManifestBody(request, bodyMemory().open(request), 10);
    await expect(reading).rejects.toThrow(condition('manifestTooLarge'));
    expect(body.listenerCount('data')).toBe(0);
  });

  it('is refused at the first byte too many when no length was announced', async () => {
    const { request, body } = incoming();
    const reading = readManifestBody(request, bodyMemory().open(request), 10);
    body.write('0123456789');
    body.write('!');
    await expect(reading).rejects.toThrow(condition('manifestTooLarge'));
    expect(body.destroyed).toBe(false); // the answer still has to go out over this connection
  });

  it('is given up when nothing more comes', async () => {
    const { request, body } = incoming();
    body.write('{');
    const reading = readManifestBody(request, bodyMemory().open(request), 10, { idle: 20, whole: 60_000 });
    await expect(reading).rejects.toThrow(condition('manifestTooSlow'));
  });

  it('is given up when it trickles for too long', async () => {
    const { request, body } = incoming();
    const reading = readManifestBody(request, bodyMemory().open(request), 10, { idle: 60_000, whole: -1 });
    body.write('{');
    await expect(reading).rejects.toThrow(condition('manifestTooSlow'));
  });

  it.each([true, false])('ends with its client (already gone: %s)', async (isGone) => {
    const { request, client, body } = incoming();
    if (isGone) client.abort();
    const reading = readManifestBody(request, bodyMemory().open(request), 10);
    if (!isGone) client.abort();
    await expect(reading).rejects.toThrow('the client left');
    expect(body.listenerCount('data')).toBe(0);
  });
});

describe('a body that is encoded', () => {
  it.each(['gzip', 'zstd', 'gzip, br', 'IDENTITY, gzip', ''])('is refused: %j', (encoding) => {
    const { request } = incoming({ 'content-encoding': encoding });
    const answer = { condition: 'manifestEncoded', status: 415, headers: { 'Accept-Encoding': 'identity' } };
    expect(() => {
      refuseEncoding(request);
    }).toThrow(expect.objectContaining(answer));
  });

  it.each([{}, { 'content-encoding': 'identity' }, { 'content-encoding': ' Identity ' }])('is not %j', (headers) => {
    expect(() => {
      refuseEncoding(incoming(headers).request);
    }).not.toThrow();
  });

  it('counts for its share until it has been stored, also when its client does not wait for that', async () => {
    const memory = bodyMemory();
    const left = incoming();
    const res = new EventEmitter();
    Object.assign(left.request, { res });
    const body = memory.open(left.request);
    const reading = readManifestBody(left.request, body, MIB);
    left.body.end(Buffer.alloc(MIB));
    expect(await reading).toHaveLength(MIB);
    res.emit('close');
    const all = memory.open(incoming().request);
    const { signal } = new AbortController();
    const wait = all.reserve(MIB, 64 * MIB, signal);
    expect(wait).not.toBeNull();
    body.release();
    await wait;
    all.release();
  });
});
