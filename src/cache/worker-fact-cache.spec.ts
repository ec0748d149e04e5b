import { beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DropMessageToPrimary, DropMessageToWorker } from './drop-messages.js';
import { DropRounds, type Member } from './drop-rounds.js';
import { type FactRequest, type Subject } from './fact-cache.js';
import { WorkerFactCache } from './worker-fact-cache.js';

const ROUNDS = 200;
const SUBJECT: Subject = 'repo:acme/app';

/** A primary with workers, over channels that keep the order and take their time. */
class Crew {
  readonly killed: number[] = [];
  readonly rounds: DropRounds;
  private readonly frozen = new Set<number>();

  constructor(patienceMs?: number) {
    this.rounds = new DropRounds(patienceMs);
  }

  worker(id: number, aftermathMs?: number): WorkerFactCache {
    let receive: (message: DropMessageToWorker) => void = () => undefined;
    const toWorker = inOrder<DropMessageToWorker>((message) => {
      if (!this.frozen.has(id)) receive(message);
    });
    const member: Member = { id, send: toWorker, kill: () => void this.killed.push(id) };
    const send = inOrder<DropMessageToPrimary>((message) => {
      this.rounds.receive(member, message);
    });
    return new WorkerFactCache({ send, onMessage: (listener) => (receive = listener) }, aftermathMs);
  }

  freeze(id: number): void {
    this.frozen.add(id);
  }
}

function inOrder<T>(deliver: (message: T) => void): (message: T) => void {
  let last: Promise<void> = Promise.resolve();
  return (message) => {
    const copy = structuredClone(message);
    last = last
      .then(() => sleep(Math.random() * 2))
      .then(() => {
        deliver(copy);
      });
  };
}

async function joined(...caches: WorkerFactCache[]): Promise<void> {
  for (const cache of caches)
    while (
      await cache.check().then(
        () => false,
        () => true,
      )
    )
      await sleep(1);
}

/** A database with one fact. */
class Row {
  value = 0;
  loads = 0;

  get request(): FactRequest<number> {
    return { subject: SUBJECT, name: 'value', load: () => this.load() };
  }

  private async load(): Promise<number> {
    this.loads += 1;
    const seen = this.value;
    await sleep(Math.random() * 3); // the answer is on its way while others write
    return seen;
  }
}

describe('the facts of several workers', () => {
  let row: Row;

  beforeEach(() => {
    row = new Row();
  });

  it('are read once by each and then remembered', async () => {
    const crew = new Crew();
    const [a, b] = [crew.worker(1), crew.worker(2)];
    await joined(a, b);
    for (const cache of [a, b, a, b]) await cache.read(row.request);
    expect(row.loads).toBe(2);
    expect(await b.peek(row.request)).toBe(0);
  });

  it(`are never older than the last acknowledged write, ${ROUNDS} rounds of three workers`, async () => {
    const crew = new Crew();
    const caches = [crew.worker(1), crew.worker(2), crew.worker(3)];
    await joined(...caches);
    const stale: string[] = [];
    let acknowledged = 0;
    let isOver = false;
    const readers = caches.map(async (cache) => {
      while (!isOver) {
        const atLeast = acknowledged;
        const seen = await cache.read(row.request);
        if (seen < atLeast) stale.push(`${seen} after ${atLeast}`);
        await sleep(0);
      }
    });
    for (let round = 1; round <= ROUNDS; round++) {
      row.value = round;
      await caches[round % 3]?.drop([SUBJECT]);
      acknowledged = round;
    }
    isOver = true;
    await Promise.all(readers);
    expect(stale).toEqual([]);
    expect(row.loads).toBeGreaterThan(ROUNDS);
  });

  it('are not remembered by a worker that nobody would tell of a change yet', async () => {
    const crew = new Crew();
    const a = crew.worker(1);
    const load = a.read(row.request); // before the primary has answered
    await joined(a);
    expect(await load).toBe(0);
    expect(await a.peek(row.request)).toBeUndefined();
  });

  it('a worker that does not confirm is ended, and only when it is gone the write is acknowledged', async () => {
    const crew = new Crew(30);
    const [a, b] = [crew.worker(1), crew.worker(2)];
    await joined(a, b);
    crew.freeze(2);
    let isAcknowledged = false;
    const drop = a.drop([SUBJECT]).then(() => (isAcknowledged = true));
    while (crew.killed.length === 0) await sleep(1);
    await sleep(20);
    expect({ killed: crew.killed, isAcknowledged }).toEqual({ killed: [2], isAcknowledged: false });
    crew.rounds.leave(2);
    await drop;
  });

  it('of a worker that has died nothing is remembered until its last statement must have ended', async () => {
    const crew = new Crew();
    const [a, b] = [crew.worker(1, 50), crew.worker(2)];
    await joined(a, b);
    await a.read(row.request);
    crew.rounds.leave(2);
    while ((await a.peek(row.request)) !== undefined) await sleep(1);
    await a.read(row.request);
    row.value = 1; // the commit that the dead worker had sent
    expect(await a.read(row.request)).toBe(1);
    // Later it remembers again.
    while ((await a.peek(row.request)) === undefined) await a.read(row.request);
    expect(await a.peek(row.request)).toBe(1);
  });

  it('nor by the worker that comes in its place', async () => {
    const crew = new Crew();
    crew.rounds.leave(1);
    const next = crew.worker(2);
    await joined(next);
    await sleep(10);
    await next.read(row.request);
    expect(await next.peek(row.request)).toBeUndefined();
  });

  it('drops of one moment travel together, and each is confirmed', async () => {
    const sent: DropMessageToPrimary[] = [];
    let receive: (message: DropMessageToWorker) => void = () => undefined;
    const cache = new WorkerFactCache({ send: (message) => sent.push(message), onMessage: (to) => (receive = to) });
    const drops = [cache.drop([SUBJECT]), cache.drop(['user:1']), cache.drop([SUBJECT, 'user:2'])];
    await sleep(0);
    while (sent.length < 2) await sleep(1);
    expect(sent).toEqual([
      { kind: 'facts.join' },
      { kind: 'facts.drop', ticket: 1, subjects: [SUBJECT, 'user:1', 'user:2'] },
    ]);
    receive({ kind: 'facts.dropped', ticket: 1 });
    await Promise.all(drops);
  });

  it('one worker alone waits for nobody', async () => {
    const a = new Crew().worker(1);
    await joined(a);
    await a.drop([SUBJECT]);
  });
});
