import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { contentServices, type ContentServices } from '../../../test/support/content-services.js';
import { digestOf } from '../../../test/support/content.js';
import { ACTOR, manifestRow as manifest, needs, tagging } from '../../../test/support/manifest-rows.js';
import { heldBlob } from '../blobs/content.service.js';
import { UnitOfWork } from '../../database/unit-of-work.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { parseDigest, type Digest } from '../../oci/digest.js';
import type { Tag as TagName } from '../../oci/reference.js';
import type { ReposService } from '../repos/repos.service.js';
import { Manifest } from './manifest.entity.js';
import { ManifestsRepository } from './manifests.repository.js';
import { ManifestsService } from './manifests.service.js';

let services: ContentServices;
let manifests: ManifestsRepository;
let service: ManifestsService;
let repository: RepositoryFact;
let count = 0;

const listed = { markListed: () => Promise.resolve() } as unknown as ReposService;

beforeAll(async () => {
  services = await contentServices();
  manifests = new ManifestsRepository(services.repository(Manifest));
  service = serviceWith(services.unitOfWork);
}, 60_000);

beforeEach(async () => {
  repository = await services.newRepository(`app${++count}`);
});

function serviceWith(unitOfWork: UnitOfWork): ManifestsService {
  return new ManifestsService(unitOfWork, services.content, manifests, listed, services.events);
}

const condition = (name: string) => expect.objectContaining({ condition: name });
const find = async (reference: string) =>
  manifests.find(
    repository.id,
    reference.includes(':')
      ? { kind: 'digest', digest: parseDigest(reference) }
      : { kind: 'tag', tag: reference as TagName },
  );
const history = () =>
  services.database.query<{ tag: string; old: string | null; new: string | null }>(
    `SELECT tag, encode(old_digest, 'hex') AS old, encode(new_digest, 'hex') AS new, actor, credential, address
     FROM tag_events WHERE repo_id = $1 ORDER BY id`,
    [repository.id],
  );
const hex = ({ digest }: { digest: Digest }) => `12${digest.slice('sha256:'.length)}`;

describe('a pushed manifest', () => {
  it('goes into no repository that was deleted after the push was judged', async () => {
    const one = manifest('late');
    await services.database.query('UPDATE repos SET deleted_at = now() WHERE id = $1', [repository.id]);
    await expect(service.save(repository, one, [], tagging(['v1']))).rejects.toEqual(condition('nameUnknown'));
    await services.database.query('UPDATE repos SET deleted_at = NULL WHERE id = $1', [repository.id]);
    expect(await find('v1')).toBeNull();
    expect(await find(one.digest)).toBeNull();
  });

  it('is found by digest and by each of its tags, with its bytes', async () => {
    const one = manifest('one');
    await service.save(repository, one, [], tagging(['v1', 'latest']));
    const fact = { digest: one.digest, mediaType: one.mediaType, size: 3 };
    for (const reference of [one.digest, 'v1', 'latest']) expect(await find(reference)).toEqual(fact);
    expect(await find('v2')).toBeNull();
    expect(await manifests.bytes(repository.id, one.digest)).toEqual(one.bytes);
  });

  it('is not in other repositories', async () => {
    const one = manifest('one');
    await service.save(repository, one, [], tagging([]));
    repository = await services.newRepository('elsewhere');
    expect(await find(one.digest)).toBeNull();
  });

  it('takes over a tag, and the history says from what and by whom', async () => {
    const [one, two] = [manifest('one'), manifest('two')];
    await service.save(repository, one, [], tagging(['v1']));
    await service.save(repository, two, [], tagging(['v1']));
    await service.save(repository, two, [], tagging(['v1']));
    const who = { actor: 'user:1', credential: 'password', address: '192.0.2.1' };
    expect(await history()).toEqual([
      { tag: 'v1', old: null, new: hex(one), ...who },
      { tag: 'v1', old: hex(one), new: hex(two), ...who },
    ]);
  });

  it('is refused when the repository does not hold what it names, and leaves nothing', async () => {
    const layer = { digest: parseDigest(digestOf('elsewhere')), size: 9 };
    await services.holdBlob(await services.newRepository(`other${count}`), 'elsewhere');
    const one = manifest('one');
    await expect(service.save(repository, one, [needs(layer)], tagging(['v1']))).rejects.toThrow(
      condition('manifestBlobUnknown'),
    );
    expect([await find('v1'), await find(one.digest), await history()]).toEqual([null, null, []]);
    await expect(service.remove(repository, one.digest, ACTOR)).rejects.toThrow(condition('manifestUnknown'));
  });

  it('keeps its media type while it is there; other repositories have their own', async () => {
    const [image, other] = ['image', 'other'].map((type) => `application/vnd.example.${type}+json`);
    const as = (mediaType = '') => manifest('typed', { mediaType });
    await service.save(repository, as(image), [], tagging(['v1']));
    await service.save(repository, as(image), [], tagging(['v2']));
    const refusal = { condition: 'mediaTypeFixed', message: expect.stringContaining(image ?? '') as unknown };
    for (const tags of [['v1'], ['v3'], []]) {
      await expect(service.save(repository, as(other), [], tagging(tags))).rejects.toMatchObject(refusal);
    }
    expect([(await find('v1'))?.mediaType, await find('v3')]).toEqual([image, null]);
    const elsewhere = await services.newRepository(`typed${count}`);
    await service.save(elsewhere, as(other), [], tagging(['v1']));
    // Once it is deleted nothing shows the type any more, and another one is as good.
    await service.remove(repository, as().digest, ACTOR);
    await service.save(repository, as(other), [], tagging(['v1']));
    expect((await find('v1'))?.mediaType).toBe(other);
  });

  it('may name what is not there where that is allowed; its arrival makes it present', async () => {
    const layer = { digest: parseDigest(digestOf('later')), size: 5 };
    const sparse = { ...needs(layer), isRequired: false };
    await service.save(repository, manifest('one'), [sparse], tagging([]));
    expect(await services.content.find(repository, layer.digest)).toBeNull();
    await services.holdBlob(repository, 'later');
    await services.facts.drop([heldBlob(repository, layer.digest)]);
    expect(await services.content.find(repository, layer.digest)).toMatchObject({ size: 5 });
  });

  it('is not found any more after a delete of its digest, nor are its tags; a new push brings it back', async () => {
    const one = manifest('one');
    await service.save(repository, one, [], tagging(['v1', 'v2']));
    await service.remove(repository, one.digest, ACTOR);
    for (const reference of [one.digest, 'v1', 'v2']) expect(await find(reference)).toBeNull();
    await expect(service.remove(repository, one.digest, ACTOR)).rejects.toThrow(condition('manifestUnknown'));
    expect((await history()).map(({ tag, new: now }) => [tag, now])).toEqual([
      ['v1', hex(one)],
      ['v2', hex(one)],
      ['v1', null],
      ['v2', null],
    ]);
    await service.save(repository, one, [], tagging(['v2']));
    expect([await find(one.digest), await find('v1')]).toEqual([expect.anything(), null]);
  });

  it('keeps its other tags when one is deleted', async () => {
    await service.save(repository, manifest('one'), [], tagging(['v1', 'v2']));
    await service.removeTag(repository, 'v1' as TagName, ACTOR);
    expect([await find('v1'), await find('v2')]).toEqual([null, expect.anything()]);
    await expect(service.removeTag(repository, 'v1' as TagName, ACTOR)).rejects.toThrow(condition('tagUnknown'));
  });
});

describe('at the same time', () => {
  const many = <T>(length: number, work: (index: number) => Promise<T>) =>
    Promise.all(Array.from({ length }, (_, index) => work(index)));

  it('one of many compare-and-swaps of a tag wins, and the others change nothing', async () => {
    const seen = manifest('seen');
    await service.save(repository, seen, [], tagging(['v1']));
    for (const [first, second] of [
      [`"${seen.digest}"`, null],
      [null, '*'],
    ] as const) {
      const tag = first === null ? 'new' : 'v1';
      const results = await many(8, (index) =>
        service.save(repository, manifest(`next ${tag} ${index}`), [], tagging([tag], first, second)).then(
          () => index,
          (error: unknown) => error,
        ),
      );
      const winners = results.filter((result) => typeof result === 'number');
      expect(winners).toHaveLength(1);
      expect(results.filter((result) => typeof result !== 'number')).toEqual(
        Array.from({ length: 7 }, () => condition('preconditionFailed')),
      );
      expect((await find(tag))?.digest).toBe(manifest(`next ${tag} ${String(winners[0])}`).digest);
    }
  });

  it('pushes of the same bytes under two types leave the one that came first', async () => {
    const types = ['application/vnd.example.a+json', 'application/vnd.example.b+json'];
    const results = await many(8, (index) =>
      service
        .save(repository, manifest('same', { mediaType: types[index % 2] ?? '' }), [], tagging([`t${index}`]))
        .then(
          () => types[index % 2],
          (error: unknown) => error,
        ),
    );
    const kept = (await find(manifest('same').digest))?.mediaType;
    for (const [index, result] of results.entries()) {
      const mine = types[index % 2];
      expect(result).toEqual(mine === kept ? kept : condition('mediaTypeFixed'));
      expect((await find(`t${index}`))?.mediaType).toBe(mine === kept ? kept : undefined);
    }
  });

  it('pushes of one tag leave a history without a gap', async () => {
    await many(8, (index) => service.save(repository, manifest(`m${index}`), [], tagging(['v1', 'v2'])));
    for (const tag of ['v1', 'v2']) {
      const events = (await history()).filter((event) => event.tag === tag);
      expect(events).toHaveLength(8);
      // Each replaced what another one wrote: an unbroken chain, in whatever order.
      const chain = new Map(events.map((event) => [event.old, event.new]));
      let end: string | null = null;
      for (let length = 0; length < 8; length++) end = chain.get(end) ?? null;
      expect(end).toBe(hex((await find(tag)) ?? manifest('')));
    }
  });

  it('pushes that share content and tags in any order never wait in a circle', async () => {
    const layers = await many(6, (index) => services.holdBlob(repository, `layer ${index}`));
    // PostgreSQL ends a circle by failing one of its transactions, which is then run again.
    let attempts = 0;
    const counting = new UnitOfWork(services.dataSource);
    const run = counting.run.bind(counting);
    counting.run = (work) =>
      run((tx) => {
        attempts++;
        return work(tx);
      });
    const counted = serviceWith(counting);
    await many(16, (index) => {
      const order = index % 2 ? [...layers].reverse() : layers;
      const absent = order.map(({ digest, size }) => ({ ...needs({ digest, size }, 'manifest'), isRequired: false }));
      const tags = index % 2 ? ['a', 'b', 'c'] : ['c', 'b', 'a'];
      return counted.save(
        repository,
        manifest(`m${index % 4}`),
        [...order.map((one) => needs(one)), ...absent],
        tagging(tags),
      );
    });
    await many(24, (index) =>
      index % 3 === 0
        ? counted.remove(repository, manifest(`m${index % 4}`).digest, ACTOR).catch(() => undefined)
        : counted.save(
            repository,
            manifest(`m${index % 4}`),
            layers.map((one) => needs(one)),
            tagging(['a', 'b', 'c']),
          ),
    );
    expect(attempts).toBe(16 + 24);
  });
});
