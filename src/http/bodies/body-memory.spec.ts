import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { bodyMemory } from '../../../test/support/body-memory.js';
import { ShareExhausted } from '../../fairness/allotment.js';
import { SMALL_BYTES } from './body-memory.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const signal = new AbortController().signal;

function requestOf(namespace: string, principal = namespace): Request {
  return { context: { share: { namespace, principal } }, res: new EventEmitter() } as unknown as Request;
}

describe('the memory of bodies', () => {
  it('keeps a body that comes in one piece as it is, and copies others together', () => {
    const memory = bodyMemory();
    const [one, many] = [memory.open(requestOf('alice')), memory.open(requestOf('alice'))];
    const piece = Buffer.from('{"a":1}');
    expect(one.reserve(piece.length, 7, signal)).toBeNull();
    one.add(piece);
    expect(one.content).toBe(piece);
    const text = 'x'.repeat(10_000);
    for (const byte of text) {
      void many.reserve(1, text.length, signal);
      many.add(Buffer.from(byte));
    }
    expect(many.content.toString()).toBe(text);
    expect(many.content.buffer.byteLength).toBeLessThanOrEqual(SMALL_BYTES);
    expect(piece.toString()).toBe('{"a":1}');
  });

  it('gives a large body room for all of it before more is read, and others theirs beside an attacker’s', async () => {
    const memory = bodyMemory();
    const clients = new AbortController();
    const begin = (request: Request): Promise<void> | null => {
      const body = memory.open(request);
      return body.reserve(SMALL_BYTES + 1, 4096 * KIB, clients.signal);
    };
    const attack = Array.from({ length: 60 }, (_, at) => requestOf('mallory', `robot:${at}`));
    const waits = attack.map((request) => begin(request));
    expect(waits.filter((wait) => wait === null).length).toBeLessThanOrEqual(8);
    expect(begin(requestOf('alice'))).toBeNull();
    clients.abort(new Error('they left'));
    await Promise.allSettled(waits.filter((wait) => wait !== null));
    for (const { res } of attack) res?.emit('close');
    const again = memory.open(requestOf('mallory'));
    expect(again.reserve(SMALL_BYTES + 1, 4096 * KIB, signal)).toBeNull();
  });

  it('goes back when the client leaves while it waits, or has left before', async () => {
    const memory = bodyMemory();
    const [held, waiting, late] = [requestOf('alice'), requestOf('alice', 'bob'), requestOf('alice', 'carol')];
    memory.hold(held, 32 * MIB);
    const body = memory.open(waiting);
    const wait = body.reserve(SMALL_BYTES + 1, 8 * MIB, signal);
    waiting.res?.emit('close');
    held.res?.emit('close');
    await wait;
    expect(body.isOver).toBe(true);
    Object.assign(late.res ?? {}, { closed: true });
    expect(memory.open(late).reserve(SMALL_BYTES + 1, 8 * MIB, signal)).toBeNull();
    memory.hold(late, 8 * MIB);
    expect(memory.open(requestOf('dave')).reserve(SMALL_BYTES + 1, 64 * MIB, signal)).toBeNull();
  });

  it('refuses what its share has no room for, and has it again when the request has been answered', () => {
    const memory = bodyMemory();
    const requests: Request[] = [];
    const hold = (): void => {
      const request = requestOf('mallory');
      memory.hold(request, 512 * KIB);
      requests.push(request);
    };
    expect(() => {
      for (;;) hold();
    }).toThrow(ShareExhausted);
    expect(requests.length).toBeLessThan(64);
    requests[0]?.res?.emit('close');
    expect(hold).not.toThrow();
  });
});
