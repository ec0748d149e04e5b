import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { contentServices, type ContentServices } from '../../test/support/content-services.js';
import { FactCache, type FactRequest, type Subject } from '../cache/fact-cache.js';
import { MemoryFactCache } from '../cache/memory-fact-cache.js';
import { FactDrops } from './fact-drops.js';
import { OutboxRelay } from './outbox.relay.js';
import { OutboxService } from './outbox.service.js';

/** What nodes share, as far as these tests can see it. */
class SharedFacts extends FactCache {
  override readonly shared = true;
  readonly dropped: Subject[] = [];
  failure: Error | null = null;

  override read<T>({ load }: FactRequest<T>): Promise<T> {
    return load();
  }

  override peek(): Promise<never> {
    return Promise.reject(new Error('nobody asks'));
  }

  override drop(subjects: readonly Subject[]): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    this.dropped.push(...subjects);
    return Promise.resolve();
  }

  override check(): Promise<void> {
    return Promise.resolve();
  }
}

let services: ContentServices;
let facts: SharedFacts;
let drops: FactDrops;
let relay: OutboxRelay;

beforeAll(async () => {
  services = await contentServices();
}, 60_000);

beforeEach(() => {
  facts = new SharedFacts();
  drops = new FactDrops(facts, new OutboxService());
  relay = new OutboxRelay(facts, services.unitOfWork);
});

const waiting = async () => (await services.database.query('SELECT FROM outbox')).length;

describe('drops of facts', () => {
  it('happen after the commit and before the write is acknowledged, and wait in the outbox', async () => {
    await services.unitOfWork.run(async (tx) => {
      await drops.afterCommit(tx, ['repo:acme/app']);
      expect(facts.dropped).toEqual([]);
    });
    expect(facts.dropped).toEqual(['repo:acme/app']);
    expect(await waiting()).toBe(1);
    await relay.relay();
  });

  it('leave no message when the transaction fails, and happen all the same, as it may have been committed', async () => {
    const failing = services.unitOfWork.run(async (tx) => {
      await drops.afterCommit(tx, ['repo:acme/app']);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(facts.dropped).toEqual(['repo:acme/app']);
    expect(await waiting()).toBe(0);
  });

  it('leave no message where nobody else remembers facts', async () => {
    const alone = new FactDrops(new MemoryFactCache(), new OutboxService());
    await services.unitOfWork.run((tx) => alone.afterCommit(tx, ['repo:acme/app']));
    expect(await waiting()).toBe(0);
  });
});

describe('the relay', () => {
  const append = (...subjects: Subject[]) => services.unitOfWork.run((tx) => drops.afterCommit(tx, subjects));

  it('repeats what a node committed before it died, and deletes the messages', async () => {
    facts.failure = new Error('killed between commit and drop');
    await expect(append('repo:acme/app')).rejects.toThrow('killed');
    facts.failure = null;
    expect(await relay.relay()).toBe(1);
    expect(facts.dropped).toEqual(['repo:acme/app']);
    expect(await waiting()).toBe(0);
  });

  it('keeps the messages while the cache cannot be told', async () => {
    await append('repo:acme/app', 'user:1');
    facts.failure = new Error('away');
    await expect(relay.relay()).rejects.toThrow('away');
    expect(await waiting()).toBe(1);
    facts.failure = null;
    await relay.relay();
    expect(await waiting()).toBe(0);
  });

  it('shares the messages among nodes', async () => {
    for (let index = 0; index < 20; index++) await append(`user:${index}`);
    const relayed = await Promise.all([relay, relay, relay].map((node) => node.relay()));
    expect(relayed.reduce((sum, count) => sum + count)).toBe(20);
    expect(await relay.relay()).toBe(0);
  });
});
