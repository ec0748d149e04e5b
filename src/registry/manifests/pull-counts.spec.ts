import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { contentServices, type ContentServices } from '../../../test/support/content-services.js';
import { digestOf } from '../../../test/support/content.js';
import { UnitOfWork } from '../../database/unit-of-work.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { digestToBytes } from '../../oci/digest-bytes.js';
import { parseDigest, type Digest } from '../../oci/digest.js';
import { ManifestUsesRepository } from './manifest-uses.repository.js';
import { PullCounts } from './pull-counts.js';

const MANIFESTS = 50;

let services: ContentServices;
let repository: RepositoryFact;
let digests: Digest[];
let count = 0;

beforeAll(async () => {
  services = await contentServices();
}, 60_000);

beforeEach(async () => {
  repository = await services.newRepository(`app${++count}`);
  digests = Array.from({ length: MANIFESTS }, (_, at) => parseDigest(digestOf(`manifest ${at}`)));
  await services.dataSource.query(
    `INSERT INTO manifests (repo_id, digest, media_type, size, bytes, content_size, pushed_by, pushed_at)
     SELECT $1, digest, 'application/json', 1, '', 0, 'user:1', now() FROM unnest($2::bytea[]) AS d(digest)`,
    [repository.id, digests.map(digestToBytes)],
  );
});

const counted = () =>
  services.database.query<{ pulls: string; at: Date | null }>(
    'SELECT pulls, pulled_at AS at FROM manifests WHERE repo_id = $1 ORDER BY digest',
    [repository.id],
  );

describe('pulls', () => {
  it('of several nodes are added up, and the nodes never wait for each other in a circle', async () => {
    let attempts = 0;
    const counting = new UnitOfWork(services.dataSource);
    const run = counting.runStatement.bind(counting);
    counting.runStatement = (work) =>
      run((tx) => {
        attempts += 1;
        return work(tx);
      });
    const nodes = Array.from({ length: 4 }, () => new PullCounts(counting, new ManifestUsesRepository()));
    for (let round = 0; round < 5; round += 1) {
      for (const [at, node] of nodes.entries()) {
        for (const digest of at % 2 ? digests : [...digests].reverse()) node.note(repository, digest);
      }
      await Promise.all(nodes.map((node) => node.flush()));
    }
    const rows = await counted();
    expect(rows.map(({ pulls }) => Number(pulls))).toEqual(Array.from({ length: MANIFESTS }, () => 20));
    expect(attempts).toBe(20);
  });

  it('keep the latest time, whichever node writes last', async () => {
    const [early, late] = [1_700_000_000_000, 1_800_000_000_000];
    const [digest] = digests as [Digest];
    const uses = new ManifestUsesRepository();
    for (const lastAt of [late, early])
      await services.unitOfWork.run((tx) => uses.addPulls(tx, [{ repoId: repository.id, digest, count: 1, lastAt }]));
    expect((await counted()).filter(({ at }) => at !== null).map(({ at }) => at?.getTime())).toEqual([late]);
  });
});
