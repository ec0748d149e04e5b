import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type HasShare, withShare } from '../fairness/current-share.js';
import { DRIVER } from './connection-pool.js';

const TIMEOUT_MS = 1_500;

interface Pool {
  connect(): Promise<{ release: () => void }>;
  end(): Promise<void>;
  readonly totalCount: number;
  readonly idleCount: number;
}

/** What the server lets in. */
let room: number;
let open: number;
let tries: number;
/** How much longer than a refusal a connection takes; milliseconds. */
let greeting: number;

/** A connection of pg's, as far as its pool knows it. */
class FakeClient extends EventEmitter {
  readonly _queryable = true;
  private isOpen = false;

  connect(callback: (error?: Error) => void): void {
    tries += 1;
    setTimeout(() => {
      if (open >= room) {
        callback(Object.assign(new Error('too many connections for role'), { code: '53300' }));
        return;
      }
      open += 1;
      this.isOpen = true;
      setTimeout(callback, greeting);
    }, 5);
  }

  isConnected(): boolean {
    return this.isOpen;
  }

  end(callback?: () => void): void {
    if (this.isOpen) open -= 1;
    this.isOpen = false;
    callback?.();
  }
}

function newPool(): Pool {
  const { Pool } = DRIVER as { Pool: new (options: object) => Pool };
  return new Pool({ Client: FakeClient, max: 10, connectionTimeoutMillis: TIMEOUT_MS });
}

beforeEach(() => {
  [room, open, tries, greeting] = [0, 0, 0, 0];
});

afterEach(() => {
  jest.restoreAllMocks();
});

describe('a pool whose server lets in fewer connections', () => {
  it('serves all that wait once there is room, though nothing else happens in the pool', async () => {
    const pool = newPool();
    const served = Promise.all(
      Array.from({ length: 12 }, async () => {
        const client = await pool.connect();
        client.release();
      }),
    );
    await sleep(300);
    const busyUntil = performance.now() + 200;
    while (performance.now() < busyUntil); // a busy event loop, in which timers are late
    room = 3;
    await served;
    expect(pool.totalCount).toBeLessThanOrEqual(3);
    await pool.end();
  });

  it('does not try again at once what the server has refused', async () => {
    const pool = newPool();
    room = 1;
    const held = await pool.connect();
    await Promise.allSettled(Array.from({ length: 9 }, () => pool.connect()));
    expect(tries).toBe(10);
    held.release();
    await pool.end();
  });

  it('says once how many the server lets in, though refusals come before connections', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
    const pool = newPool();
    [room, greeting] = [3, 20];
    await Promise.all(
      Array.from({ length: 12 }, async () => {
        const client = await pool.connect();
        client.release();
      }),
    );
    expect(warned.mock.calls).toEqual([[expect.objectContaining({ event: 'database.limit', connections: 3 })]]);
    await pool.end();
  });

  it('gives each that waits a connection of its own once there is room, while none is given back', async () => {
    const pool = newPool();
    const served = Promise.all(Array.from({ length: 4 }, () => pool.connect()));
    await sleep(100);
    room = 4;
    for (const client of await served) client.release();
    expect(pool.totalCount).toBe(4);
    await pool.end();
  });

  it('keeps no connection that came when its waiter had given up', async () => {
    const pool = newPool();
    room = 1;
    const held = await pool.connect();
    const late = Array.from({ length: 4 }, () => pool.connect());
    const outcomes = await Promise.allSettled(late);
    expect(outcomes.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
    held.release();
    room = 4;
    const clients = await Promise.all(Array.from({ length: 4 }, () => pool.connect()));
    for (const client of clients) client.release();
    expect(pool.idleCount).toBe(pool.totalCount);
    await pool.end();
    expect(open).toBe(0);
  });
});

describe('a pool whose requests come from several tenants', () => {
  type Release = () => void;
  type Connect = (callback: (error: Error | undefined, client: unknown, done: Release) => void) => void;

  const of = (namespace: string): HasShare => ({
    share: { namespace, principal: `${namespace}-robot` },
    isAnswered: false,
  });
  const connect = (pool: Pool, whose: HasShare | null): Promise<Release> =>
    new Promise((resolve, reject) => {
      const ask = (): void => {
        (pool.connect as unknown as Connect).call(pool, (error, _, done) => {
          if (error) reject(error);
          else resolve(done);
        });
      };
      if (whose) withShare(whose, ask);
      else ask();
    });

  it('has a connection for others and for the node while one tenant wants them all, and then gives it its turn', async () => {
    room = 10;
    const pool = newPool();
    let served = 0;
    const attack = Array.from({ length: 40 }, () =>
      connect(pool, of('mallory')).then((release) => {
        served += 1;
        return release;
      }),
    );
    const releases = [await connect(pool, of('alice')), await connect(pool, null)];
    expect(served).toBeLessThanOrEqual(7);
    expect((pool as unknown as { waitingForShare: number }).waitingForShare).toBeGreaterThanOrEqual(33);
    for (const release of releases) release();
    for (const one of attack) (await one)();
    expect(served).toBe(40);
    await pool.end();
  });
});
