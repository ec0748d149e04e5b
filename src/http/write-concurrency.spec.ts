import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Response } from 'express';
import { MAX_WAITING, WriteConcurrency, WRITES_AT_ONCE } from './write-concurrency.js';

class Answer extends EventEmitter {
  end(): this {
    return this;
  }
}

const answer = (): Response => new Answer() as unknown as Response;

/** What the settled ones of these came to, after everything that is due has run. */
async function settled(promises: readonly (Promise<void> | null)[]): Promise<string[]> {
  const seen: string[] = [];
  for (const promise of promises) {
    promise?.then(
      () => seen.push('entered'),
      (error: unknown) => seen.push(String((error as { condition?: unknown }).condition)),
    );
  }
  await jest.advanceTimersByTimeAsync(0);
  return seen;
}

describe('WriteConcurrency', () => {
  let turns: WriteConcurrency;
  let running: Response[];

  beforeEach(() => {
    jest.useFakeTimers();
    turns = new WriteConcurrency();
    running = Array.from({ length: WRITES_AT_ONCE }, answer);
    for (const response of running) expect(turns.take('user:7', response)).toBeNull();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('lets one write on for each that has been answered, in their order', async () => {
    const waiting = [answer(), answer()].map((response) => turns.take('user:7', response));
    expect(await settled(waiting)).toEqual([]);
    running[0]?.end();
    expect(await settled([waiting[0] ?? null])).toEqual(['entered']);
    expect(await settled([waiting[1] ?? null])).toEqual([]);
    running[1]?.end();
    expect(await settled([waiting[1] ?? null])).toEqual(['entered']);
  });

  it('keeps nobody else waiting', () => {
    expect(turns.take('user:8', answer())).toBeNull();
  });

  it('gives no other turn to a client that leaves a write that goes on', async () => {
    const waiting = [turns.take('user:7', answer())];
    running[0]?.emit('close');
    expect(await settled(waiting)).toEqual([]);
    turns.end(running[0] ?? answer());
    expect(await settled(waiting)).toEqual(['entered']);
  });

  it('takes a write for ended a minute after its client has left', async () => {
    for (const response of running) response.emit('close');
    await jest.advanceTimersByTimeAsync(60_000);
    expect(turns.take('user:7', answer())).toBeNull();
  });

  it('forgets who has left while waiting', async () => {
    const gone = answer();
    const waiting = [turns.take('user:7', gone), turns.take('user:7', answer())];
    gone.emit('close');
    expect(await settled(waiting)).toEqual(['tooManyRequests']);
    running[0]?.end();
    expect(await settled(waiting.slice(1))).toEqual(['entered']);
  });

  it('refuses what would wait in too long a line, or has waited too long', async () => {
    const waiting = Array.from({ length: MAX_WAITING }, () => turns.take('user:7', answer()));
    expect(await settled([turns.take('user:7', answer())])).toEqual(['tooManyRequests']);
    const refused = settled(waiting);
    await jest.advanceTimersByTimeAsync(20_000);
    const seen = await refused;
    expect(seen).toEqual(Array.from({ length: MAX_WAITING }, () => 'tooManyRequests'));
  });

  it('releases a turn once, however often its write ends', () => {
    for (const response of running) {
      response.end();
      turns.end(response);
    }
    for (let i = 0; i < WRITES_AT_ONCE; i++) expect(turns.take('user:7', answer())).toBeNull();
    expect(turns.take('user:7', answer())).not.toBeNull();
  });
});
