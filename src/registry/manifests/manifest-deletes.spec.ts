import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { contentServices, type ContentServices } from '../../../test/support/content-services.js';
import {
  describeBytes,
  IMAGE_CONFIG,
  IMAGE_INDEX,
  IMAGE_LAYER,
  IMAGE_MANIFEST,
} from '../../../test/support/content.js';
import { ACTOR, manifestRow, needs, tagging } from '../../../test/support/manifest-rows.js';
import { eventually } from '../../../test/support/processes.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import type { Digest } from '../../oci/digest.js';
import { OciError } from '../../oci/oci-error.js';
import type { ReposService } from '../repos/repos.service.js';
import { Manifest } from './manifest.entity.js';
import { ManifestsRepository, type NewManifest } from './manifests.repository.js';
import { ManifestsService } from './manifests.service.js';

let services: ContentServices;
let manifests: ManifestsRepository;
let repository: RepositoryFact;
let graph: Graph;
let count = 0;

const listed = { markListed: () => Promise.resolve() } as unknown as ReposService;

beforeAll(async () => {
  services = await contentServices();
  manifests = new ManifestsRepository(services.repository(Manifest));
}, 60_000);

beforeEach(async () => {
  repository = await services.newRepository(`deletes${++count}`);
  graph = new Graph(serviceWith(services.unitOfWork));
});

function serviceWith(unitOfWork: UnitOfWork): ManifestsService {
  return new ManifestsService(unitOfWork, services.content, manifests, listed, services.events);
}

/** A blob `b1`, or a manifest that names blobs or manifests, `x: b1 b2`, with tags, `x: b1 @v1`, or a subject, `s: b1 >x`. */
class Graph {
  readonly rows = new Map<string, { digest: Digest; size: number; mediaType: string }>();

  constructor(private readonly service: ManifestsService) {}

  async push(line: string): Promise<void> {
    const { name, row, named, tags } = await this.prepare(line);
    await this.service.save(repository, row, named, tagging(tags));
    this.rows.set(name, row);
  }

  /** Its blobs are held, the manifest itself is for the caller to save. */
  async prepare(
    line: string,
  ): Promise<{ name: string; row: NewManifest; named: ReturnType<typeof needs>[]; tags: string[] }> {
    const [name = '', ...words] = line.split(/:? /);
    const names = words.filter((word) => /^\w/.test(word));
    for (const blob of names.filter(isBlob)) await this.hold(blob);
    const [children, subject] = [names.map((one) => this.get(one)), words.find((word) => word.startsWith('>'))];
    const isIndex = names.some((one) => !isBlob(one));
    const [config, ...layers] = children;
    const fields = isIndex ? { manifests: children } : { config, layers };
    const mediaType = isIndex ? IMAGE_INDEX : IMAGE_MANIFEST;
    const text = JSON.stringify({ schemaVersion: 2, mediaType, ...fields, annotations: { name } });
    const row = manifestRow(text, { mediaType, subject: subject ? this.get(subject.slice(1)).digest : null });
    const named = names.map((one) => needs(this.get(one), isBlob(one) ? 'blob' : 'manifest'));
    return { name, row, named, tags: words.filter((word) => word.startsWith('@')).map((word) => word.slice(1)) };
  }

  async hold(name: string): Promise<void> {
    const text = `${name} of ${repository.path}`;
    const { mediaType } = describeBytes(name === 'b0' ? IMAGE_CONFIG : IMAGE_LAYER, Buffer.from(text));
    this.rows.set(name, { ...(await services.holdBlob(repository, text)), mediaType });
  }

  get(name: string): { digest: Digest; size: number; mediaType: string } {
    const row = this.rows.get(name);
    if (!row) throw new Error(`nothing is called ${name}`);
    const { digest, size, mediaType } = row;
    return { digest, size, mediaType };
  }

  nameOf(digest: Digest): string | undefined {
    return [...this.rows].find(([, row]) => row.digest === digest)?.[0];
  }

  remove(name: string): Promise<void> {
    const { digest } = this.get(name);
    return isBlob(name)
      ? services.unitOfWork.run((tx) => services.content.unlinkBlob(tx, repository, digest))
      : this.service.remove(repository, digest, ACTOR);
  }

  /** `gone`, or by what it is needed: `index @v1`. */
  outcome(removing: Promise<void>): Promise<string> {
    return removing.then(
      () => 'gone',
      (error: unknown) => {
        if (!(error instanceof OciError) || error.condition !== 'inUse') throw error;
        const { neededBy, tags } = error.detail as { neededBy: Digest[]; tags: string[] };
        return neededBy.map((digest, index) => `${String(this.nameOf(digest))} @${String(tags[index])}`).join(', ');
      },
    );
  }

  /** Everything that the repository holds now, by name. */
  async present(): Promise<string[]> {
    const digests = [...this.rows.values()].map(({ digest }) => digest);
    const present = await services.content.present(repository, digests);
    return [...this.rows].filter(([, { digest }]) => present.has(digest)).map(([name]) => name);
  }
}

function isBlob(name: string): boolean {
  return name.startsWith('b');
}

const IMAGE = ['x: b0 b1'];
const INDEX = [...IMAGE, 'y: x'];
const NESTED = [...INDEX, 'z: y'];

// The table of docs/design/manifests.md.
const TABLE: readonly (readonly [title: string, pushes: readonly string[], target: string, outcome: string])[] = [
  ['a blob that no manifest names', [...IMAGE, 'w: b2'], 'b2', 'gone'],
  ['a layer of an image without a tag', IMAGE, 'b1', 'gone'],
  ['a config of an image without a tag', IMAGE, 'b0', 'gone'],
  ['a layer of a tagged image', ['x: b0 b1 @v1'], 'b1', 'x @v1'],
  ['a layer of an image in a tagged index', [...IMAGE, 'y: x @v1'], 'b1', 'y @v1'],
  ['a layer of an image in an untagged index', INDEX, 'b1', 'gone'],
  ['a layer of an image in an index in a tagged index', [...INDEX, 'z: y @v1'], 'b1', 'z @v1'],
  ['a layer that a tagged and an untagged image share', [...IMAGE, 'w: b0 b1 @v1'], 'b1', 'w @v1'],
  ['an image in an untagged index', INDEX, 'x', 'gone'],
  ['an image in a tagged index', [...IMAGE, 'y: x @v1'], 'x', 'y @v1'],
  ['an image in an untagged and in a tagged index', [...INDEX, 'w: x @v1'], 'x', 'w @v1'],
  ['an image in two tagged indexes', [...IMAGE, 'y: x @v1', 'w: y x @v2'], 'x', 'y @v1, w @v2'],
  ['an image in an untagged index of an untagged index', NESTED, 'x', 'gone'],
  ['an image in an untagged index of a tagged one', [...INDEX, 'z: y @v1'], 'x', 'z @v1'],
  ['an image in a tagged index of an untagged one', [...IMAGE, 'y: x @v1', 'z: y'], 'x', 'y @v1'],
  ['an index in an untagged index', NESTED, 'y', 'gone'],
  ['a tagged image, with its tag', ['x: b0 @v1'], 'x', 'gone'],
  ['a tagged image in an untagged index, with its tag', ['x: b0 @v1', 'y: x'], 'x', 'gone'],
  ['a tagged image in a tagged index', ['x: b0 @v1', 'y: x @v2'], 'x', 'y @v2'],
  ['a subject of a referrer', [...IMAGE, 's: b2 >x'], 'x', 'gone'],
  ['a subject of a tagged referrer', [...IMAGE, 's: b2 >x @sig'], 'x', 'gone'],
  ['a referrer of a tagged image', ['x: b0 @v1', 's: b2 >x'], 's', 'gone'],
  ['a blob of a referrer of a tagged image', ['x: b0 @v1', 's: b2 >x'], 'b2', 'gone'],
  ['a blob of a tagged referrer', ['x: b0 @v1', 's: b2 >x @sig'], 'b2', 's @sig'],
  ['a referrer in a fallback index', ['x: b0 @v1', 's: b2 >x', 'f: s @sha256-0'], 's', 'f @sha256-0'],
  ['a referrer in an old fallback index', ['x: b0 @v1', 's: b2 >x', 'f: s', 'g: x @sha256-0'], 's', 'gone'],
];

describe('a delete protects what a tag needs', () => {
  it.each(TABLE)('%s', async (_title, pushes, target, outcome) => {
    for (const line of pushes) await graph.push(line);
    const before = await graph.present();
    expect(await graph.outcome(graph.remove(target))).toBe(outcome);
    // What names it and what it names stay.
    expect(await graph.present()).toEqual(before.filter((name) => outcome !== 'gone' || name !== target));
  });

  it('and an untagged index that lost a child keeps its edge, which the next push of the child makes whole', async () => {
    for (const line of INDEX) await graph.push(line);
    const edges = () =>
      services.database.query<{ present: boolean }>(
        `SELECT present FROM manifest_refs r JOIN repo_content c
           ON (c.repo_id, c.digest, c.kind) = (r.repo_id, r.child, r.child_kind)
         WHERE r.repo_id = $1 AND r.child_kind = 'manifest'`,
        [repository.id],
      );
    await graph.remove('x');
    expect(await edges()).toEqual([{ present: false }]);
    await expect(graph.push('y: x @v1')).rejects.toMatchObject({ condition: 'manifestBlobUnknown' });
    await graph.push('x: b0 b1');
    expect(await edges()).toEqual([{ present: true }]);
    await graph.push('y: x @v1');
    expect(await graph.outcome(graph.remove('x'))).toBe('y @v1');
  });

  it('and names a few of many tagged manifests', async () => {
    for (let index = 0; index < 25; index += 1) await graph.push(`m${index}: b1 @v${index}`);
    expect((await graph.outcome(graph.remove('b1'))).split(', ')).toHaveLength(10);
  });

  it('through any nesting', async () => {
    await graph.push('m0: b1');
    for (let depth = 1; depth <= 100; depth += 1) await graph.push(`m${depth}: m${depth - 1}`);
    await graph.push('top: m100 @v1');
    expect(await graph.outcome(graph.remove('b1'))).toBe('top @v1');
    expect(await graph.outcome(graph.remove('m50'))).toBe('top @v1');
    await manifests.removeTag({ query: services.database.query } as Transaction, repository.id, 'v1' as never, ACTOR);
    expect(await graph.outcome(graph.remove('b1'))).toBe('gone');
  }, 60_000);
});

describe('a push that names manifests', () => {
  const refusal = (name: string) => ({
    condition: 'manifestBlobUnknown',
    detail: { digests: [graph.get(name).digest] },
  });

  it.each(['y: x', 'y: x @v1'])('(%s) is refused while something below was deleted, at any depth', async (line) => {
    for (const pushed of IMAGE) await graph.push(pushed);
    await graph.remove('b1');
    await expect(graph.push(line)).rejects.toMatchObject(refusal('b1'));
    await graph.hold('b1');
    await graph.push(line);
    await graph.remove('y');
    await graph.push('w: x');
    await graph.remove('x');
    const { row, named } = await graph.prepare('z: w @v2');
    const saving = serviceWith(services.unitOfWork).save(repository, row, named, tagging(['v2']));
    await expect(saving).rejects.toMatchObject(refusal('x'));
  });

  it('is taken when only what need not be there is missing', async () => {
    const { row, named } = await graph.prepare('x: b0 b1');
    const foreign = JSON.parse(row.bytes.toString()) as { layers: { mediaType: string }[] };
    for (const layer of foreign.layers) layer.mediaType = 'application/vnd.oci.image.layer.nondistributable.v1.tar';
    const image = manifestRow(JSON.stringify(foreign));
    const optional = named.map((one, index) => ({ ...one, isRequired: index === 0 }));
    await serviceWith(services.unitOfWork).save(repository, image, optional, tagging([]));
    graph.rows.set('x', image);
    await graph.remove('b1');
    await graph.push('y: x @v1');
  });
});

describe('at the same time', () => {
  const waiting = (backends: number) =>
    eventually('the other one waits', async () => {
      const rows = await services.database.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      );
      return rows.length >= backends;
    });

  /** Runs `meanwhile` when the work of the transaction is done and before it commits. */
  function before(meanwhile: () => Promise<void>): ManifestsService {
    const slow = new UnitOfWork(services.dataSource);
    const run = slow.run.bind(slow);
    slow.run = (work) =>
      run(async (tx) => {
        const result = await work(tx);
        await meanwhile();
        return result;
      });
    return serviceWith(slow);
  }

  // What is deleted, and what is tagged meanwhile: what it names itself, and what is further below.
  const PAIRS: readonly (readonly [pushes: readonly string[], target: string, tagging: string])[] = [
    [IMAGE, 'b1', 'x: b0 b1 @v1'],
    [IMAGE, 'b1', 'y: x @v1'],
    [INDEX, 'b1', 'y: x @v1'],
    [INDEX, 'x', 'y: x @v1'],
    [INDEX, 'x', 'z: y @v1'],
    [NESTED, 'x', 'z: y @v1'],
    [NESTED, 'b1', 'z: y @v1'],
  ];

  it.each(PAIRS)('%j: %s is not deleted while the push of "%s" commits', async (pushes, target, line) => {
    for (const pushed of pushes) await graph.push(pushed);
    const { name, row, named, tags } = await graph.prepare(line);
    let deleting: Promise<string> = Promise.resolve('');
    const service = before(async () => {
      deleting = graph.outcome(graph.remove(target));
      deleting.catch(() => undefined);
      await waiting(1);
    });
    graph.rows.set(name, row); // the refusal may come before the push's answer
    await service.save(repository, row, named, tagging(tags));
    expect(await deleting).toBe(`${name} @v1`);
  });

  it.each(PAIRS)(
    '%j: while %s is being deleted, the push of "%s" waits and is refused',
    async (pushes, target, line) => {
      for (const pushed of pushes) await graph.push(pushed);
      const { row, named, tags } = await graph.prepare(line);
      const { digest } = graph.get(target);
      const pushing = await services.unitOfWork.run(async (tx) => {
        if (isBlob(target)) await services.content.unlinkBlob(tx, repository, digest);
        else await services.content.unlinkManifest(tx, repository, digest);
        const push = serviceWith(services.unitOfWork).save(repository, row, named, tagging(tags));
        push.catch(() => undefined);
        await waiting(1);
        return { push };
      });
      await expect(pushing.push).rejects.toMatchObject({
        condition: 'manifestBlobUnknown',
        detail: { digests: [digest] },
      });
    },
  );

  it('deletes and pushes of a whole tree never wait in a circle, and no tag is left without what it needs', async () => {
    let attempts = 0;
    const counting = new UnitOfWork(services.dataSource);
    const run = counting.run.bind(counting);
    counting.run = (work) =>
      run((tx) => {
        attempts += 1;
        return work(tx);
      });
    const tree = ['x: b0 b1', 'w: b0 b2', 'y: w x', 'z: y @v1', 'u: x y w @v2'];
    for (const line of tree) await graph.push(line);
    const works: (() => Promise<unknown>)[] = [];
    for (let round = 0; round < 20; round += 1) {
      for (const line of tree) {
        const { row, named, tags } = await graph.prepare(line);
        works.push(() => serviceWith(counting).save(repository, row, named, tagging(tags)));
      }
      for (const name of ['x', 'w', 'y', 'z', 'u'])
        works.push(() => serviceWith(counting).remove(repository, graph.get(name).digest, ACTOR));
      for (const name of ['b1', 'b2'])
        works.push(() => counting.run((tx) => services.content.unlinkBlob(tx, repository, graph.get(name).digest)));
    }
    const results = await Promise.allSettled(works.map((work) => work()));
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as object] : []));
    const expected = ['inUse', 'manifestUnknown', 'blobUnknown', 'manifestBlobUnknown'].map((condition) =>
      expect.objectContaining({ condition }),
    );
    for (const failure of failures) expect(expected).toContainEqual(failure);
    expect(attempts).toBe(works.length);
    const lost = await services.database.query(
      `WITH RECURSIVE below (digest) AS (
         SELECT digest FROM tags WHERE repo_id = $1
         UNION SELECT r.child FROM below b JOIN manifest_refs r ON r.repo_id = $1 AND r.parent = b.digest
       )
       SELECT c.digest FROM below JOIN repo_content c USING (digest) WHERE c.repo_id = $1 AND NOT c.present`,
      [repository.id],
    );
    expect(lost).toEqual([]);
  }, 120_000);
});
