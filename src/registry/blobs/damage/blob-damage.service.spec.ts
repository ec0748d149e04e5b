import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { hashOf, uploadServices, type UploadServices } from '../../../../test/support/upload-services.js';
import type { Transaction } from '../../../database/unit-of-work.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import { digestToBytes } from '../../../oci/digest-bytes.js';
import type { Digest } from '../../../oci/digest.js';
import { epochKey, objectKeyOf } from '../../../storage/object-keys.js';
import { PARENTS_SEEN, type StoredBlob } from './damage.repository.js';

const SIZE = 1_000;

let services: UploadServices;
let repository: RepositoryFact;
let count = 0;

beforeAll(async () => {
  services = await uploadServices();
}, 60_000);

beforeEach(async () => {
  repository = await services.newRepository(`damaged${++count}`);
});

interface Stored extends StoredBlob {
  readonly digest: Digest;
  readonly file: string;
  readonly bytes: Buffer;
}

/** A blob in the store that these repositories hold. */
async function stored(...holders: RepositoryFact[]): Promise<Stored> {
  const bytes = randomBytes(SIZE);
  const digest = hashOf(bytes);
  const id = randomUUID();
  await services.store.put({ key: objectKeyOf(id), epoch: 1 }, bytes);
  const storageKey = epochKey(objectKeyOf(id), 1);
  const [row] = await services.database.query<{ id: string }>(
    `INSERT INTO blobs (domain, digest, size, store, storage_key) VALUES ('*', $1, $2, 'filesystem', $3) RETURNING id`,
    [digestToBytes(digest), SIZE, storageKey],
  );
  const blobId = Number(row?.id);
  for (const { id: repoId } of holders)
    await services.unitOfWork.run((tx) => services.content.link(tx, repoId, digest, { blobId, size: SIZE }));
  return { blobId, storageKey, digest, bytes, file: path.join(services.root, storageKey) };
}

const isHeld = async (holder: RepositoryFact, { digest }: Stored): Promise<boolean> =>
  (await services.content.find(holder, digest)) !== null;

async function listed({ blobId }: Stored) {
  return (await services.damage.list(blobId - 1, 1)).find((row) => row.blobId === blobId);
}

describe('a blob whose object is not what was stored', () => {
  it('is there for none of the repositories that hold it, though they were asked before', async () => {
    const other = await services.newRepository('other');
    const blob = await stored(repository, other);
    expect([await isHeld(repository, blob), await isHeld(other, blob)]).toEqual([true, true]);
    rmSync(blob.file);
    expect(await services.damage.mark(blob, 'missing', 'pull')).toBe('marked');
    expect([await isHeld(repository, blob), await isHeld(other, blob)]).toEqual([false, false]);
    expect(await services.damage.mark(blob, 'missing', 'push')).toBe('known');
  });

  it.each([
    [
      'missing',
      null,
      (file: string) => {
        rmSync(file);
      },
    ],
    [
      'size',
      10,
      (file: string) => {
        truncateSync(file, 10);
      },
    ],
    [
      'bytes',
      SIZE,
      (file: string) => {
        writeFileSync(file, randomBytes(SIZE));
      },
    ],
  ] as const)('is listed as %s', async (kind, foundSize, damage) => {
    const blob = await stored(repository);
    damage(blob.file);
    await services.damage.mark(blob, kind, 'fsck');
    expect(await listed(blob)).toMatchObject({
      ...{ digest: blob.digest, storageKey: blob.storageKey, kind, foundBy: 'fsck', size: SIZE, foundSize },
      ...{ repositories: [{ path: repository.path, tags: [] }], repositoryCount: 1 },
    });
  });

  it('has its many holders read in one statement, while its row is locked', async () => {
    const blob = await stored(repository);
    await services.database.query(
      `WITH copies AS (
         INSERT INTO repos (namespace_id, name, path, visibility)
         SELECT namespace_id, name || n, path || n, 'private' FROM repos, generate_series(1, 2500) n WHERE id = $1
         RETURNING id
       )
       INSERT INTO repo_content (repo_id, digest, kind, size, present, blob_id)
       SELECT c.id, h.digest, h.kind, h.size, h.present, h.blob_id
       FROM copies c, repo_content h WHERE h.repo_id = $1 AND h.blob_id = $2`,
      [repository.id, blob.blobId],
    );
    const statements: string[] = [];
    await services.unitOfWork.run((tx) => {
      const query: Transaction['query'] = (sql, values) => {
        statements.push(sql);
        return tx.query(sql, values);
      };
      return services.damage.replaced({ ...tx, query }, blob.blobId, blob.digest);
    });
    expect(statements.filter((sql) => sql.includes('repo_content'))).toHaveLength(1);
  });

  it('is there again once the object was seen whole', async () => {
    const blob = await stored(repository);
    rmSync(blob.file);
    await services.damage.mark(blob, 'missing', 'pull');
    writeFileSync(blob.file, blob.bytes);
    expect(await isHeld(repository, blob)).toBe(false);
    expect(await services.damage.clear(blob, 'missing')).toBe(true);
    expect(await isHeld(repository, blob)).toBe(true);
    expect(await listed(blob)).toBeUndefined();
    expect(await services.damage.clear(blob, 'missing')).toBe(false);
  });

  it('is not there again for its size, once other bytes were read', async () => {
    const blob = await stored(repository);
    rmSync(blob.file);
    await services.damage.mark(blob, 'missing', 'pull');
    writeFileSync(blob.file, randomBytes(SIZE));
    expect(await services.damage.mark(blob, 'bytes', 'scrub')).toBe('known');
    expect(await listed(blob)).toMatchObject({ kind: 'bytes', foundBy: 'pull', foundSize: SIZE });
    // As a check that reads no bytes would, which had seen the earlier mark.
    expect(await services.damage.clear(blob, 'missing')).toBe(false);
    expect(await isHeld(repository, blob)).toBe(false);
    expect(await services.damage.clear(blob, 'bytes')).toBe(true);
    expect(await isHeld(repository, blob)).toBe(true);
  });
});

describe('no mark', () => {
  it('is made when the blob has another object by then', async () => {
    const blob = await stored(repository);
    expect(await services.damage.mark({ ...blob, storageKey: `${blob.storageKey}w` }, 'missing', 'pull')).toBe('gone');
    expect(await isHeld(repository, blob)).toBe(true);
  });

  it('is made when the object has its size after all', async () => {
    const blob = await stored(repository);
    expect(await services.damage.mark(blob, 'missing', 'pull')).toBe('gone');
    expect(await isHeld(repository, blob)).toBe(true);
  });

  it.each([
    ['is nobody’s, as an unmounted volume', null],
    ['is another installation’s, as a wrong bucket', randomUUID()],
  ])('is made while the store %s', async (_what, owner) => {
    const blob = await stored(repository);
    rmSync(blob.file);
    const file = path.join(services.root, 'aerugo-installation');
    const [own] = await services.database.query<{ id: string }>('SELECT id FROM installation');
    rmSync(file);
    if (owner) writeFileSync(file, owner);
    try {
      await expect(services.damage.mark(blob, 'missing', 'pull')).rejects.toMatchObject({ condition: 'unavailable' });
      expect(await isHeld(repository, blob)).toBe(true);
    } finally {
      writeFileSync(file, String(own?.id));
    }
    expect(await services.damage.mark(blob, 'missing', 'pull')).toBe('marked');
  });
});

describe('the list', () => {
  it('names the tags that lead to the blob, also through an index', async () => {
    const blob = await stored(repository);
    const [image, index] = [hashOf(randomBytes(9)), hashOf(randomBytes(9))].map(digestToBytes);
    const { database } = services;
    for (const digest of [image, index]) {
      await database.query(
        `INSERT INTO repo_content (repo_id, digest, kind, size, present) VALUES ($1, $2, 'manifest', 9, true)`,
        [repository.id, digest],
      );
      await database.query(
        `INSERT INTO manifests (repo_id, digest, media_type, size, bytes, content_size, pushed_by, pushed_at)
         VALUES ($1, $2, 'application/vnd.oci.image.manifest.v1+json', 9, '', 0, 'user:1', now())`,
        [repository.id, digest],
      );
    }
    await database.query(`INSERT INTO manifest_refs VALUES ($1, $2, $3, 'blob'), ($1, $4, $2, 'manifest')`, [
      repository.id,
      image,
      digestToBytes(blob.digest),
      index,
    ]);
    await database.query(
      `INSERT INTO tags (repo_id, name, digest, pushed_by) VALUES ($1, 'latest', $3, 'user:1'), ($1, '1.0', $2, 'user:1')`,
      [repository.id, image, index],
    );
    rmSync(blob.file);
    await services.damage.mark(blob, 'missing', 'scrub');
    expect((await listed(blob))?.repositories).toEqual([{ path: repository.path, tags: ['1.0', 'latest'] }]);
  });

  it('ends its search for tags after so many manifests', async () => {
    const blob = await stored(repository);
    const { database } = services;
    const digest = digestToBytes(blob.digest);
    // Each in an index of its own; the last one has a tag.
    const chain = `(SELECT substring($2::bytea FOR 1) || sha256(n::text::bytea) AS digest, n
      FROM generate_series(1, ${PARENTS_SEEN + 1}) n) c`;
    await database.query(
      `INSERT INTO repo_content (repo_id, digest, kind, size, present) SELECT $1, digest, 'manifest', 9, true
       FROM ${chain}`,
      [repository.id, digest],
    );
    await database.query(
      `INSERT INTO manifests (repo_id, digest, media_type, size, bytes, content_size, pushed_by, pushed_at)
       SELECT $1, digest, 'application/vnd.oci.image.index.v1+json', 9, '', 0, 'user:1', now() FROM ${chain}`,
      [repository.id, digest],
    );
    await database.query(
      `INSERT INTO manifest_refs SELECT $1, digest, coalesce(lag(digest) OVER (ORDER BY n), $2),
         CASE n WHEN 1 THEN 'blob' ELSE 'manifest' END FROM ${chain}`,
      [repository.id, digest],
    );
    const tag = (name: string, place: number): Promise<unknown> =>
      database.query(
        `INSERT INTO tags (repo_id, name, digest, pushed_by) SELECT $1, $3, digest, 'user:1' FROM ${chain} WHERE n = $4`,
        [repository.id, digest, name, place],
      );
    await tag('near', PARENTS_SEEN);
    await tag('far', PARENTS_SEEN + 1);
    rmSync(blob.file);
    await services.damage.mark(blob, 'missing', 'scrub');
    expect((await listed(blob))?.repositories).toEqual([{ path: repository.path, tags: ['near'] }]);
  });

  it('passes over a mark whose blob a node of an earlier version has given another object', async () => {
    const blob = await stored(repository);
    rmSync(blob.file);
    await services.damage.mark(blob, 'missing', 'pull');
    await services.database.query(`UPDATE blobs SET state = 'live', storage_key = $2 WHERE id = $1`, [
      blob.blobId,
      `${blob.storageKey}w`,
    ]);
    expect(await listed(blob)).toBeUndefined();
  });
});
