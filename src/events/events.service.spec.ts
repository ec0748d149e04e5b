import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { contentServices, type ContentServices } from '../../test/support/content-services.js';
import { schemaErrors } from '../../test/support/event-schemas.js';
import { ACTOR } from '../../test/support/manifest-rows.js';
import { SharedFacts } from '../../test/support/shared-facts.js';
import type { FactCache } from '../cache/fact-cache.js';
import { MemoryFactCache } from '../cache/memory-fact-cache.js';
import type { Transaction } from '../database/unit-of-work.js';
import type { EndingEvent, PlainEvent } from './domain-event.js';
import { EventHandlers } from './event-handlers.js';
import { EventOutbox } from './event-outbox.js';
import { EventsService } from './events.service.js';
import { FactDrops } from './fact-drops.js';
import { OutboxService } from './outbox.service.js';
import type { EventMessage } from './projections/outbox-messages.js';

let services: ContentServices;
let facts: SharedFacts;
let count = 0;
let path: string;

beforeAll(async () => {
  services = await contentServices();
}, 60_000);

beforeEach(async () => {
  facts = new SharedFacts();
  path = `acme/events-${++count}`;
  await services.database.query('DELETE FROM outbox');
});

function eventsOver(cache: FactCache, isRead = false, handlers = new EventHandlers()): EventsService {
  const outbox = new EventOutbox();
  if (isRead) outbox.open();
  return new EventsService(new FactDrops(cache, new OutboxService()), outbox, handlers);
}

function created(more: Partial<PlainEvent & { type: 'repository.created' }> = {}): PlainEvent & {
  type: 'repository.created';
} {
  const place = { namespaceId: 1, resource: `repo:${path}`, repository: { id: 7, path } };
  return { type: 'repository.created', actor: ACTOR, ...place, data: { visibility: 'public' }, ...more };
}

function deleted(more: Partial<EndingEvent<'repository.deleted'>> = {}): EndingEvent<'repository.deleted'> {
  const ended = { id: 7, name: path };
  return { ...created(), type: 'repository.deleted', data: { aliases: undefined }, ended, ...more };
}

/** Runs the work in a transaction and gives the number of its statements. */
async function statementsOf(work: (tx: Transaction) => Promise<void>): Promise<number> {
  let statements = 0;
  await services.unitOfWork.run((tx) =>
    work({
      ...tx,
      query: (sql, parameters) => {
        statements += 1;
        return tx.query(sql, parameters);
      },
    }),
  );
  return statements;
}

const entries = () =>
  services.database.query<Record<string, unknown>>(
    `SELECT actor, credential, address, action, resource, namespace_id::int AS "namespaceId", outcome, detail
     FROM audit_events WHERE resource LIKE $1 ORDER BY resource`,
    [`repo:${path}%`],
  );
const messages = async () => {
  const rows = await services.database.query<{ type: string; payload: unknown }>(
    'SELECT type, payload FROM outbox ORDER BY id',
  );
  return rows.map(({ type, payload }) => ({ type, payload }));
};

describe('an event', () => {
  it('is an entry in the audit log, in one statement, where no node shares facts and none are read', async () => {
    const events = eventsOver(new MemoryFactCache());
    const stale = [`repo:${path}`] as const;
    expect(await statementsOf((tx) => events.record(tx, created({ stale })))).toBe(1);
    expect(await entries()).toEqual([
      {
        actor: 'user:1',
        credential: 'password',
        address: '192.0.2.1',
        action: 'repo.create',
        resource: `repo:${path}`,
        namespaceId: 1,
        outcome: 'allowed',
        detail: { visibility: 'public' },
      },
    ]);
    expect(await messages()).toEqual([]);
  });

  it('is also a drop of facts for other nodes and a message for readers, still in one statement', async () => {
    const events = eventsOver(facts, true);
    const stale = [`repo:${path}`] as const;
    expect(await statementsOf((tx) => events.record(tx, created({ stale })))).toBe(1);
    expect(facts.drops).toEqual([[`repo:${path}`]]);
    const [drop, event, ...more] = await messages();
    expect([drop, more]).toEqual([{ type: 'facts.dropped', payload: { subjects: stale } }, []]);
    expect(event).toEqual({
      type: 'event',
      payload: {
        type: 'repository.created',
        version: 1,
        namespaceId: 1,
        repository: { id: 7, path },
        resource: `repo:${path}`,
        actor: ACTOR,
        data: { visibility: 'public' },
      },
    });
    expect(schemaErrors([event?.payload as EventMessage])).toEqual([]);
  });

  it('leaves nothing of a transaction that fails', async () => {
    const failing = services.unitOfWork.run(async (tx) => {
      await eventsOver(facts, true).record(tx, created());
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect([await entries(), await messages()]).toEqual([[], []]);
  });

  it('has an entry in each namespace that it concerns', async () => {
    const event = created({ alsoIn: [{ namespaceId: 2, resource: `repo:${path}-too` }] });
    expect(await statementsOf((tx) => eventsOver(facts).record(tx, event))).toBe(1);
    expect((await entries()).map(({ resource, namespaceId }) => [resource, namespaceId])).toEqual([
      [`repo:${path}`, 1],
      [`repo:${path}-too`, 2],
    ]);
  });

  it('has no detail where there is nothing to show', async () => {
    await services.unitOfWork.run((tx) => eventsOver(facts).recordEnds(tx, [deleted()]));
    expect(await entries()).toEqual([expect.objectContaining({ action: 'repo.delete', detail: null })]);
  });
});

describe('the end of something', () => {
  let handlers: EventHandlers;

  beforeEach(() => {
    handlers = new EventHandlers();
  });

  it('is told to each handler of it in the same transaction, once for all, and drops what they name', async () => {
    const told: unknown[] = [];
    handlers.on('repository.deleted', async (tx, ended) => {
      told.push(ended);
      await tx.query('DELETE FROM repo_aliases WHERE false');
      return ['user:7'];
    });
    handlers.on('user.deleted', () => Promise.reject(new Error('of something else')));
    handlers.on('repository.deleted', () => Promise.resolve(['robot:8']));
    const ends = [deleted({ stale: [`repo:${path}`] }), deleted({ ended: { id: 8, name: 'acme/other' } })];
    const events = eventsOver(facts, true, handlers);
    expect(await statementsOf((tx) => events.recordEnds(tx, ends))).toBe(2);
    expect(told).toEqual([ends.map(({ ended }) => ended)]);
    expect(facts.drops).toEqual([[`repo:${path}`, 'user:7', 'robot:8']]);
    const [drop, ...others] = (await messages()).map(({ payload }) => payload);
    expect(drop).toEqual({ subjects: [`repo:${path}`, 'user:7', 'robot:8'] });
    expect(others).toHaveLength(2);
    expect(JSON.stringify(others)).not.toContain('ended');
  });

  it('is undone by a handler that fails', async () => {
    handlers.on('repository.deleted', () => Promise.reject(new Error('not now')));
    const events = eventsOver(facts, true, handlers);
    await expect(services.unitOfWork.run((tx) => events.recordEnds(tx, [deleted()]))).rejects.toThrow('not now');
    expect(await entries()).toEqual([]);
    expect(await messages()).toEqual([]);
  });
});

describe('several events', () => {
  const tags = (): PlainEvent[] => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const place = { actor: ACTOR, namespaceId: 1, repository: { id: 7, path }, stale: ['manifests:7'] as const };
    return [
      { type: 'manifest.deleted', ...place, resource: `repo:${path}@${digest}`, data: { digest } },
      { type: 'tag.deleted', ...place, resource: `repo:${path}:v1`, data: { tag: 'v1', digest }, isPart: true },
      { type: 'tag.deleted', ...place, resource: `repo:${path}:v2`, data: { tag: 'v2', digest } },
    ];
  };

  it('are one statement, in their order, without entries for what is part of another', async () => {
    const events = eventsOver(facts, true);
    expect(await statementsOf((tx) => events.recordAll(tx, tags()))).toBe(1);
    expect((await entries()).map(({ action }) => action)).toEqual(['tag.delete', 'manifest.delete']);
    const payloads = (await messages()).map(({ payload }) => payload as EventMessage);
    expect(payloads.slice(1).map(({ type, resource }) => [type, resource])).toEqual(
      tags().map(({ type, resource }) => [type, resource]),
    );
    expect(schemaErrors(payloads.slice(1))).toEqual([]);
  });

  it('drop their facts once, all together', async () => {
    await services.unitOfWork.run(async (tx) => {
      const events = eventsOver(facts);
      await events.recordAll(tx, tags());
      await events.record(tx, created({ stale: [`repo:${path}`] }));
      expect(facts.drops).toEqual([]);
    });
    expect(facts.drops).toEqual([['manifests:7', `repo:${path}`]]);
  });

  it('write nothing where there is nothing to write', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const moved = {
      actor: ACTOR,
      namespaceId: 1,
      resource: `repo:${path}:v1`,
      data: { tag: 'v1', digest, previous: null },
    };
    const events = eventsOver(new MemoryFactCache());
    expect(await statementsOf((tx) => events.record(tx, { type: 'tag.moved', ...moved }))).toBe(0);
    expect(await statementsOf((tx) => events.recordAll(tx, []))).toBe(0);
  });
});
