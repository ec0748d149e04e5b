import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { contentServices, type ContentServices } from '../../../test/support/content-services.js';
import { schemaErrors } from '../../../test/support/event-schemas.js';
import { ACTOR, manifestRow as manifest, tagging } from '../../../test/support/manifest-rows.js';
import { SharedFacts } from '../../../test/support/shared-facts.js';
import type { FactCache } from '../../cache/fact-cache.js';
import { MemoryFactCache } from '../../cache/memory-fact-cache.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import { EventHandlers } from '../../events/event-handlers.js';
import { EventOutbox } from '../../events/event-outbox.js';
import { EventsService } from '../../events/events.service.js';
import { FactDrops } from '../../events/fact-drops.js';
import { OutboxService } from '../../events/outbox.service.js';
import type { EventMessage } from '../../events/projections/outbox-messages.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { digestFrom } from '../../oci/digest.js';
import type { Tag } from '../../oci/reference.js';
import type { ReposService } from '../repos/repos.service.js';
import { Manifest } from './manifest.entity.js';
import { ManifestsRepository } from './manifests.repository.js';
import { ManifestsService } from './manifests.service.js';

class CountingUnitOfWork extends UnitOfWork {
  readonly statements: string[] = [];

  override run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const count = (tx: Transaction): Transaction => ({
      ...tx,
      query: (sql, parameters) => {
        this.statements.push(sql);
        return tx.query(sql, parameters);
      },
    });
    return super.run((tx) => work(count(tx)));
  }
}

const listed = { markListed: () => Promise.resolve() } as unknown as ReposService;

let services: ContentServices;
let repository: RepositoryFact;
let work: CountingUnitOfWork;
let count = 0;

beforeAll(async () => {
  services = await contentServices();
}, 60_000);

beforeEach(async () => {
  repository = await services.newRepository(`events${++count}`);
  work = new CountingUnitOfWork(services.dataSource);
  await services.database.query('DELETE FROM outbox');
});

function serviceOver(facts: FactCache, isRead: boolean): ManifestsService {
  const outbox = new EventOutbox();
  if (isRead) outbox.open();
  const events = new EventsService(new FactDrops(facts, new OutboxService()), outbox, new EventHandlers());
  const manifests = new ManifestsRepository(services.repository(Manifest));
  return new ManifestsService(work, services.content, manifests, listed, events);
}

/** The messages, and of events what is in them; those keep to the schemas. */
async function messages(): Promise<{ drops: unknown[]; events: [string, string, unknown][] }> {
  const rows = await services.database.query<{ type: string; payload: EventMessage }>(
    'SELECT type, payload FROM outbox ORDER BY id',
  );
  const events = rows.filter(({ type }) => type === 'event').map(({ payload }) => payload);
  expect(schemaErrors(events)).toEqual([]);
  for (const { repository: place, namespaceId, actor } of events) {
    const { id, path } = repository;
    expect({ place, namespaceId, actor }).toEqual({
      place: { id, path },
      namespaceId: repository.namespaceId,
      actor: ACTOR,
    });
  }
  return {
    drops: rows.filter(({ type }) => type !== 'event').map(({ payload }) => payload),
    events: events.map(({ type, resource, data }) => [type, resource, data]),
  };
}

const actions = async () =>
  (
    await services.database.query<{ action: string }>(
      'SELECT action FROM audit_events WHERE resource LIKE $1 ORDER BY at, action',
      [`repo:${repository.path}%`],
    )
  ).map(({ action }) => action);

const at = (part: string) => `repo:${repository.path}${part}`;
const pushedData = (row: ReturnType<typeof manifest>, tags: string[]) => ({
  digest: row.digest,
  mediaType: row.mediaType,
  size: row.size,
  artifactType: null,
  subject: null,
  tags,
});

describe('a push', () => {
  it.each([
    ['alone', new MemoryFactCache(), false],
    ['with a cache that nodes share', new SharedFacts(), false],
    ['with a reader of events', new MemoryFactCache(), true],
    ['with both', new SharedFacts(), true],
  ])('takes as many statements as ever: %s', async (_, facts, isRead) => {
    await serviceOver(facts, isRead).save(repository, manifest('one'), [], tagging(['v1', 'v2']));
    expect(work.statements).toHaveLength(2); // what it names is held, and all rows are written
    expect(await actions()).toEqual(['manifest.push']);
    if (facts instanceof SharedFacts) expect(facts.dropped).toEqual([`manifests:${repository.id}`]);
  });

  it('tells other nodes in its own statement', async () => {
    await serviceOver(new SharedFacts(), false).save(repository, manifest('one'), [], tagging(['v1']));
    expect(await messages()).toEqual({ drops: [{ subjects: [`manifests:${repository.id}`] }], events: [] });
  });

  it('tells which tags it moved, and from where, as its statement found them', async () => {
    const service = serviceOver(new MemoryFactCache(), true);
    const [one, two] = [manifest('one'), manifest('two')];
    await service.save(repository, one, [], tagging(['v1']));
    await service.save(repository, two, [], tagging(['v2', 'v1']));
    await service.save(repository, two, [], tagging(['v1']));
    expect((await messages()).events).toEqual([
      ['manifest.pushed', at(`@${one.digest}`), pushedData(one, ['v1'])],
      ['tag.moved', at(':v1'), { tag: 'v1', digest: one.digest, previous: null }],
      ['manifest.pushed', at(`@${two.digest}`), pushedData(two, ['v2', 'v1'])],
      ['tag.moved', at(':v1'), { tag: 'v1', digest: two.digest, previous: one.digest }],
      ['tag.moved', at(':v2'), { tag: 'v2', digest: two.digest, previous: null }],
      ['manifest.pushed', at(`@${two.digest}`), pushedData(two, ['v1'])],
    ]);
  });

  it('tells of digests of either algorithm', async () => {
    const service = serviceOver(new MemoryFactCache(), true);
    const long = manifest('long', { digest: digestFrom('sha512', Buffer.alloc(64, 7)) });
    const short = manifest('short');
    await service.save(repository, long, [], tagging(['v1']));
    await service.save(repository, short, [], tagging(['v1']));
    const moves = (await messages()).events.filter(([type]) => type === 'tag.moved').map(([, , data]) => data);
    expect(moves).toEqual([
      { tag: 'v1', digest: long.digest, previous: null },
      { tag: 'v1', digest: short.digest, previous: long.digest },
    ]);
  });

  it('tells nothing when it is refused, and drops no facts', async () => {
    const facts = new SharedFacts();
    const service = serviceOver(facts, true);
    const refused = service.save(repository, manifest('one'), [], tagging(['v1'], '"sha256:other"'));
    await expect(refused).rejects.toMatchObject({ condition: 'preconditionFailed' });
    expect(await messages()).toEqual({ drops: [], events: [] });
    expect(await actions()).toEqual([]);
    expect(facts.dropped).toEqual([]);
  });
});

describe('a deletion', () => {
  it('of a tag tells what it pointed to', async () => {
    const service = serviceOver(new MemoryFactCache(), false);
    const one = manifest('one');
    await service.save(repository, one, [], tagging(['v1']));
    await serviceOver(new MemoryFactCache(), true).removeTag(repository, 'v1' as Tag, ACTOR);
    expect((await messages()).events).toEqual([['tag.deleted', at(':v1'), { tag: 'v1', digest: one.digest }]]);
    expect(await actions()).toEqual(['manifest.push', 'tag.delete']);
  });

  it('of a manifest tells of each of its tags, in one entry', async () => {
    const one = manifest('one');
    await serviceOver(new MemoryFactCache(), false).save(repository, one, [], tagging(['v2', 'v1']));
    await serviceOver(new MemoryFactCache(), true).remove(repository, one.digest, ACTOR);
    expect((await messages()).events).toEqual([
      ['manifest.deleted', at(`@${one.digest}`), { digest: one.digest }],
      ['tag.deleted', at(':v1'), { tag: 'v1', digest: one.digest }],
      ['tag.deleted', at(':v2'), { tag: 'v2', digest: one.digest }],
    ]);
    expect(await actions()).toEqual(['manifest.push', 'manifest.delete']);
  });
});
