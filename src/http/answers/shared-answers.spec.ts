import { EventEmitter } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import type { Response } from 'express';
import { SharedAnswers } from './shared-answers.js';
import { ANSWERS, holdAnswer } from './unread-answers.js';

const MIB = 2 ** 20;

class Answer extends EventEmitter {
  readonly client = new AbortController();
  readonly req: unknown;
  isDestroyed = false;
  closed = false;

  constructor(namespace: string) {
    super();
    this.req = { context: { share: { namespace, principal: namespace }, signal: this.client.signal } };
  }

  destroy(): void {
    this.isDestroyed = true;
    this.closed = true;
    this.emit('close');
  }

  leave(): void {
    this.closed = true;
    this.client.abort(new Error('the client left'));
    this.emit('close');
  }
}

const answer = (namespace: string): Answer & Response => new Answer(namespace) as unknown as Answer & Response;
const load = (): Promise<Buffer> => Promise.resolve(Buffer.alloc(4));

describe('large answers that many read', () => {
  it('count once, until the last reader has gone', async () => {
    const answers = new SharedAnswers<string>();
    const readers = Array.from({ length: 50 }, () => answer('mallory'));
    const bodies = await Promise.all(readers.map((reader) => answers.open('a', 4 * MIB, reader, load)));
    expect(new Set(bodies).size).toBe(1);
    expect(ANSWERS.total - ANSWERS.free).toBe(4 * MIB);
    for (const reader of readers) reader.emit('close');
    expect(ANSWERS.free).toBe(ANSWERS.total);
  });

  it('leave room for others while one tenant reads none of very many', async () => {
    const answers = new SharedAnswers<string>();
    const readers = Array.from({ length: 40 }, () => answer('mallory'));
    const all = Promise.allSettled(readers.map((reader, at) => answers.open(`m${at}`, 4 * MIB, reader, load)));
    const other = answer('bob');
    expect(await answers.open('b', 4 * MIB, other, load)).toHaveLength(4);
    expect(ANSWERS.waiting).toBeGreaterThan(30);
    for (const reader of readers) reader.leave();
    other.emit('close');
    await all;
    expect([ANSWERS.free, ANSWERS.waiting]).toEqual([ANSWERS.total, 0]);
  });

  it('are loaded a few at a time, and never as many by one tenant that another waits', async () => {
    const answers = new SharedAnswers<string>();
    const loads: (() => void)[] = [];
    const slow = (): Promise<Buffer> =>
      new Promise((resolve) => {
        loads.push(() => {
          resolve(Buffer.alloc(4));
        });
      });
    const readers = Array.from({ length: 4 }, () => answer('mallory'));
    const all = readers.map((reader, at) => answers.open(`m${at}`, MIB, reader, slow));
    const other = answer('bob');
    const read = answers.open('b', MIB, other, load);
    expect(await read).toHaveLength(4);
    expect(loads.length).toBeLessThan(3);
    for (let at = 0; at < readers.length; at++) {
      loads[at]?.();
      await all[at];
    }
    for (const reader of [...readers, other]) reader.emit('close');
    expect(ANSWERS.free).toBe(ANSWERS.total);
  });

  it('are read by those who joined one that has left before they came', async () => {
    const answers = new SharedAnswers<string>();
    const held = ANSWERS.tryTake({ namespace: 'mallory', principal: 'mallory' }, 24 * MIB);
    const [first, second] = [answer('mallory'), answer('bob')];
    const left = answers.open('c', 4 * MIB, first, load);
    const stays = answers.open('c', 4 * MIB, second, load);
    first.leave();
    await expect(left).rejects.toThrow('the client left');
    expect(await stays).toHaveLength(4);
    second.emit('close');
    held?.release();
    expect(ANSWERS.free).toBe(ANSWERS.total);
  });

  it('are nobody’s where the client left before there was an answer', async () => {
    const answers = new SharedAnswers<string>();
    const left = Object.assign(answer('mallory'), { closed: true });
    await answers.open('e', 4 * MIB, left, load);
    holdAnswer(left, MIB);
    expect(ANSWERS.free).toBe(ANSWERS.total);
  });

  it('end for those who are slow, and for nobody who came later', async () => {
    jest.useFakeTimers();
    const answers = new SharedAnswers<string>();
    const [slow, late] = [answer('mallory'), answer('bob')];
    await answers.open('f', MIB, slow, load);
    jest.advanceTimersByTime(120_000);
    await answers.open('f', MIB, late, load);
    ANSWERS.reclaim({ namespace: 'other', principal: 'user:9' }, ANSWERS.total);
    expect([slow.isDestroyed, late.isDestroyed]).toEqual([true, false]);
    expect(ANSWERS.total - ANSWERS.free).toBe(MIB);
    late.emit('close');
    expect(ANSWERS.free).toBe(ANSWERS.total);
    jest.useRealTimers();
  });

  it('are asked for again after a failure', async () => {
    const answers = new SharedAnswers<string>();
    const reader = answer('bob');
    await expect(answers.open('d', MIB, reader, () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    reader.emit('close');
    const again = answer('bob');
    expect(await answers.open('d', MIB, again, load)).toHaveLength(4);
    again.emit('close');
    expect(ANSWERS.free).toBe(ANSWERS.total);
  });

  it('are waited for by each request in the queue of its own share', async () => {
    const answers = new SharedAnswers<string>();
    const unread = answer('mallory');
    await answers.open('mallory’s', 32 * MIB, unread, load);
    const [first, second] = [answer('mallory'), answer('mallory')];
    const waiting = [first, second].map((reader) => answers.open('g', 4 * MIB, reader, load));
    const other = answer('bob');
    expect(await answers.open('g', 4 * MIB, other, load)).toHaveLength(4);
    expect(ANSWERS.waiting).toBe(0);
    expect(await Promise.all(waiting)).toHaveLength(2); // they share what has come
    for (const reader of [unread, first, second, other]) reader.emit('close');
    expect([ANSWERS.free, ANSWERS.waiting]).toEqual([ANSWERS.total, 0]);
  });

  it('count while they are loaded, also without readers', async () => {
    const answers = new SharedAnswers<string>();
    const loading = Promise.withResolvers<Buffer>();
    let loads = 0;
    const slowly = (): Promise<Buffer> => {
      loads += 1;
      return loading.promise;
    };
    const readers = Array.from({ length: 20 }, () => answer('mallory'));
    const bodies = readers.map((reader) => {
      const body = answers.open('h', 4 * MIB, reader, slowly);
      reader.leave();
      return body;
    });
    const settled = Promise.allSettled(bodies);
    expect([loads, ANSWERS.total - ANSWERS.free]).toEqual([1, 4 * MIB]);
    loading.resolve(Buffer.alloc(4));
    await settled;
    expect(ANSWERS.free).toBe(ANSWERS.total);
  });
});
