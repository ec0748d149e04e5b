import { randomUUID } from 'node:crypto';
import { beforeAll, expect, it } from '@jest/globals';
import { contentServices, type ContentServices } from '../../../test/support/content-services.js';
import { digestToBytes } from '../../oci/digest-bytes.js';
import { parseDigest } from '../../oci/digest.js';
import { DirectUploadsRepository } from './direct-uploads.repository.js';
import { Upload } from '../uploads/upload.entity.js';

const DIGEST = digestToBytes(parseDigest(`sha256:${'a'.repeat(64)}`));
const NONE = { namespaces: [], principals: [] };

let services: ContentServices;
let uploads: DirectUploadsRepository;

beforeAll(async () => {
  services = await contentServices();
  uploads = new DirectUploadsRepository(services.repository(Upload));
}, 60_000);

async function wait(repoId: number, principal: string, secondsAgo: number): Promise<void> {
  await services.database.query(
    `INSERT INTO uploads (id, repo_id, principal, credential, state, epoch, algorithm, digest, direct, expires_at, verify_after)
     VALUES ($1, $2, $3, 'password', 'verifying', 1, 'sha256', $4, '{}', now() + interval '1 hour',
       now() - make_interval(secs => $5))`,
    [randomUUID(), repoId, principal, DIGEST, secondsAgo],
  );
}

it('gives uploads that wait to be read in turn by namespace, then by principal, and none of those who have enough', async () => {
  const { id: flooded } = await services.newRepository('flooded');
  const [other] = await services.database.query<{ id: string; namespace: string }>(
    `WITH n AS (INSERT INTO namespaces (name, kind) VALUES ('quiet', 'org') RETURNING id)
     INSERT INTO repos (namespace_id, name, path, visibility) SELECT id, 'app', 'quiet/app', 'private' FROM n
     RETURNING id, namespace_id AS namespace`,
  );
  for (let at = 0; at < 20; at++) await wait(flooded, 'robot:1', 100 - at);
  await wait(flooded, 'robot:2', 10);
  await wait(Number(other?.id), 'user:7', 1);

  const take = async (busy: typeof NONE | { namespaces: number[]; principals: string[] }) =>
    (await uploads.take(1, 60, busy)).map(({ principal }) => principal);
  expect(await take(NONE)).toEqual(['robot:1']);
  expect(await take({ namespaces: [], principals: ['robot:1'] })).toEqual(['robot:2']);
  expect(await take(NONE)).toEqual(['robot:1']);
  expect(await take({ namespaces: [], principals: ['robot:1'] })).toEqual(['user:7']);
  const { namespaceId } = await services.newRepository('same');
  expect(await take({ namespaces: [namespaceId], principals: [] })).toEqual([]);

  await wait(flooded, 'robot:2', 1);
  await wait(Number(other?.id), 'user:7', 0);
  expect([await uploads.countWaiting(1_000), await uploads.countWaiting(3)]).toEqual([20, 3]);
  const four = await uploads.take(4, 60, NONE);
  expect(four.map(({ principal }) => principal).toSorted()).toEqual(['robot:1', 'robot:1', 'robot:2', 'user:7']);
});
