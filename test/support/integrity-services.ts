import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { BlobDamage } from '../../src/registry/blobs/damage/blob-damage.service.js';
import { DamageRepository } from '../../src/registry/blobs/damage/damage.repository.js';
import { DamagedBlob } from '../../src/registry/blobs/damage/damaged-blob.entity.js';
import { StoreOwner } from '../../src/registry/blobs/damage/store-owner.service.js';
import { HashWorkers } from '../../src/registry/hashing/hash-workers.js';
import { type BlobObject, StoredBlobs } from '../../src/registry/blobs/stored-blobs.js';
import { BlobChecker } from '../../src/operations/integrity/blob-checker.js';
import { IntegrityRun } from '../../src/operations/integrity/integrity-run.entity.js';
import { type HeldRun, IntegrityRunsRepository } from '../../src/operations/integrity/integrity-runs.repository.js';
import { IntegrityWalk } from '../../src/operations/integrity/integrity-walk.service.js';
import { digestToBytes } from '../../src/oci/digest-bytes.js';
import { type Algorithm, digestFrom } from '../../src/oci/digest.js';
import type { BlobStore } from '../../src/storage/blob-store.js';
import { UploadRow } from '../contracts/upload-row.js';
import { type ContentServices, contentServices } from './content-services.js';
import { onFileEnd } from './processes.js';

/** Faster than any disk. */
export const UNBOUNDED = 2 ** 40;

/** A database whose store it is, and what checks its blobs. */
export interface IntegrityServices {
  readonly content: ContentServices;
  /** Its id, in the database and in the store. */
  readonly installation: string;
  readonly runs: IntegrityRunsRepository;
  readonly blobs: StoredBlobs;
  readonly checker: BlobChecker;
  readonly walk: IntegrityWalk;
  /** The same over another view of the store. */
  over(store: BlobStore): IntegrityWalk;
  putBlob(bytes?: Buffer, algorithm?: Algorithm): Promise<BlobObject>;
  /** A run that this test holds, over all blobs that there are. */
  begin(options?: { hash?: boolean; bytesPerSecond?: number }): Promise<HeldRun>;
  /** Digests that are marked, with what is wrong. */
  marks(): Promise<Record<string, string>>;
}

export async function integrityServices(store: BlobStore): Promise<IntegrityServices> {
  const content = await contentServices();
  const { database, unitOfWork, drops } = content;
  const installation = randomUUID();
  await database.query('INSERT INTO installation (id, reconcile_due) VALUES ($1, now())', [installation]);
  await store.inventory.claim(installation);
  const workers = new HashWorkers();
  onFileEnd(() => workers.onApplicationShutdown());
  const runs = new IntegrityRunsRepository(content.repository(IntegrityRun));
  const blobs = new StoredBlobs(unitOfWork);
  const damageOver = (seen: BlobStore): BlobDamage => {
    const damages = new DamageRepository(content.repository(DamagedBlob));
    return new BlobDamage(damages, new StoreOwner(seen, unitOfWork), seen, unitOfWork, drops);
  };
  const over = (seen: BlobStore): IntegrityWalk =>
    new IntegrityWalk(runs, blobs, new BlobChecker(seen, workers), damageOver(seen), new StoreOwner(seen, unitOfWork));
  return {
    content,
    installation,
    runs,
    blobs,
    checker: new BlobChecker(store, workers),
    walk: over(store),
    over,
    putBlob: async (bytes = randomBytes(1_000), algorithm = 'sha256') => {
      const storageKey = await store.put(new UploadRow().begin().target, bytes);
      const digest = digestFrom(algorithm, createHash(algorithm).update(bytes).digest());
      const [row] = await database.query<{ id: string }>(
        `INSERT INTO blobs (domain, digest, size, store, storage_key) VALUES ('*', $1, $2, $3, $4) RETURNING id`,
        [digestToBytes(digest), bytes.length, store.driver, storageKey],
      );
      return { blobId: Number(row?.id), digest, size: bytes.length, storageKey, damage: null };
    },
    begin: async ({ hash = true, bytesPerSecond = UNBOUNDED } = {}) => {
      const { last: upTo, blobs: totalBlobs, bytes: totalBytes } = await blobs.totals();
      const run = { kind: 'fsck', id: randomUUID(), runner: 'node', hash, bytesPerSecond } as const;
      const held = await runs.begin({ ...run, upTo, totalBlobs, totalBytes }, 0);
      if (!held) throw new Error('another run is held');
      return held;
    },
    marks: async () => {
      const marked = await damageOver(store).list(0, 1_000);
      return Object.fromEntries(marked.map(({ digest, kind }) => [digest, kind]));
    },
  };
}
