import { createHash, randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import { NODE_SHARE } from '../../src/fairness/share.js';
import { BlobsRepository } from '../../src/registry/blobs/blobs.repository.js';
import { ClosingRequests } from '../../src/registry/uploads/closing/closing-requests.service.js';
import { ClosingWait } from '../../src/registry/uploads/closing/closing-wait.service.js';
import { BlobCompactor } from '../../src/registry/uploads/compaction/blob-compactor.service.js';
import { CompactionsRepository } from '../../src/registry/uploads/compaction/compactions.repository.js';
import { CommitTransaction } from '../../src/registry/blobs/commit-transaction.service.js';
import { BlobDamage } from '../../src/registry/blobs/damage/blob-damage.service.js';
import { DamageRepository } from '../../src/registry/blobs/damage/damage.repository.js';
import { DamagedBlob } from '../../src/registry/blobs/damage/damaged-blob.entity.js';
import { StoreOwner } from '../../src/registry/blobs/damage/store-owner.service.js';
import { HashWorkers } from '../../src/registry/hashing/hash-workers.js';
import { OpenUploadsRepository } from '../../src/registry/uploads/open-uploads/open-uploads.repository.js';
import { OpenUploads } from '../../src/registry/uploads/open-uploads/open-uploads.service.js';
import { RequestBody } from '../../src/registry/uploads/request-body.js';
import { SweepRepository } from '../../src/registry/uploads/sweep.repository.js';
import { Upload } from '../../src/registry/uploads/upload.entity.js';
import { UploadCloser } from '../../src/registry/uploads/upload-closer.service.js';
import { UploadCommit } from '../../src/registry/uploads/upload-commit.service.js';
import { UploadEndService } from '../../src/registry/uploads/upload-end.service.js';
import { UploadHeartbeat } from '../../src/registry/uploads/upload-heartbeat.service.js';
import type { IncomingBody, UploadSession } from '../../src/registry/uploads/upload-session.js';
import { UploadStore } from '../../src/registry/uploads/upload-store.service.js';
import { UploadSweeper } from '../../src/registry/uploads/upload-sweeper.js';
import { UploadWriter } from '../../src/registry/uploads/upload-writer.service.js';
import { UploadsRepository } from '../../src/registry/uploads/uploads.repository.js';
import { UploadsService } from '../../src/registry/uploads/uploads.service.js';
import type { AppConfig } from '../../src/config/config.js';
import type { RepositoryFact } from '../../src/access/repository-fact.js';
import { type Algorithm, type Digest, digestFrom } from '../../src/oci/digest.js';
import type { BlobStore } from '../../src/storage/blob-store.js';
import { FilesystemStore } from '../../src/storage/filesystem/filesystem-store.js';
import { InstrumentedStore } from '../../src/storage/instrumented-store.js';
import { parseObjectKey } from '../../src/storage/object-keys.js';
import { contentServices, type ContentServices } from './content-services.js';
import { onFileEnd, scratchDirectory } from './processes.js';
import { bodyBuffer } from './body-memory.js';

export const UPLOADER = { principal: 'user:1', credential: 'password' };

export interface SessionRow {
  state: string;
  epoch: number;
}

type Drafts = 'none' | 'brief' | 'lasting';

/** The upload engine over a database and a filesystem store of the spec file's own. */
export interface UploadServices extends ContentServices {
  readonly store: InstrumentedStore;
  /** Where the store keeps its objects. */
  readonly root: string;
  readonly damage: BlobDamage;
  /** Names of the files that the store has of an upload. */
  filesOf(session: UploadSession): string[];
  rowOf(session: UploadSession): Promise<SessionRow | undefined>;
  /**
   * One node; another `node()` shares nothing with it but the database and the store. Drafts are `brief` as in a
   * registry of one process, or `lasting`: written through for every reason but their age.
   */
  node(
    store?: BlobStore,
    expirySeconds?: number,
    drafts?: Drafts,
    maxOpenUploads?: number,
  ): {
    readonly uploads: UploadsService;
    readonly rows: UploadStore;
    readonly sweeper: UploadSweeper;
    readonly compactor: BlobCompactor;
  };
  /** The blob as the repository holds it, read from the store. */
  pull(repository: RepositoryFact, digest: Digest): Promise<Buffer>;
}

export async function uploadServices(): Promise<UploadServices> {
  const services = await contentServices();
  const root = path.join(scratchDirectory('blobs'), 'blobs');
  const store = new InstrumentedStore(new FilesystemStore(root));
  await store.prepare();
  onFileEnd(() => store.close());
  const installation = randomUUID();
  await services.database.query('INSERT INTO installation (id, reconcile_due) VALUES ($1, now())', [installation]);
  await store.inventory.claim(installation);
  return {
    ...services,
    store,
    root,
    damage: damageOf(services, store),
    filesOf: ({ id }) => readdirSync(path.join(root, id.slice(-2))).filter((name) => name.startsWith(id)),
    rowOf: async ({ id }) => {
      const [row] = await services.database.query<SessionRow>('SELECT state, epoch FROM uploads WHERE id = $1', [id]);
      return row;
    },
    node: (other = store, expirySeconds = 3600, drafts = 'none', maxOpenUploads = 1_000) =>
      nodeOf(services, other, { expirySeconds, drafts, maxOpenUploads }),
    pull: async (repository, digest) => {
      const blob = await services.content.find(repository, digest);
      if (!blob) throw new Error(`${repository.path} does not hold ${digest}`);
      const chunks: Buffer[] = [];
      for await (const chunk of await store.open(parseObjectKey(blob.storageKey))) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    },
  };
}

function damageOf(services: ContentServices, store: BlobStore): BlobDamage {
  const damages = new DamageRepository(services.repository(DamagedBlob));
  const { unitOfWork, drops } = services;
  return new BlobDamage(damages, new StoreOwner(store, unitOfWork), store, unitOfWork, drops);
}

function commitOf(services: ContentServices, store: BlobStore, config: AppConfig): UploadCommit {
  const { unitOfWork, drops, events } = services;
  const damage = damageOf(services, store);
  const transaction = new CommitTransaction(new BlobsRepository(), unitOfWork, drops, events, damage, config);
  return new UploadCommit(transaction, damage, store);
}

class LastingRows extends UploadStore {
  protected override readonly draftMs = 3_600_000;
}

interface NodeOptions {
  readonly expirySeconds: number;
  readonly drafts: Drafts;
  readonly maxOpenUploads: number;
}

function nodeOf(
  services: ContentServices,
  store: BlobStore,
  { expirySeconds: uploadExpirySeconds, drafts, maxOpenUploads }: NodeOptions,
): ReturnType<UploadServices['node']> {
  const config = {
    storage: { uploadExpirySeconds, maxOpenUploads, deduplicate: 'global' },
    database: { embedded: drafts !== 'none' },
    server: { worker: null },
  } as unknown as AppConfig;
  const workers = new HashWorkers();
  onFileEnd(() => workers.onApplicationShutdown());
  const statements = new UploadsRepository(services.repository(Upload));
  const Rows = drafts === 'lasting' ? LastingRows : UploadStore;
  const limit = new OpenUploads(new OpenUploadsRepository(services.repository(Upload)), config);
  const rows = new Rows(statements, limit, config);
  onFileEnd(() => rows.beforeApplicationShutdown());
  const ends = new UploadEndService(rows, store, new StoreOwner(store, services.unitOfWork));
  const heartbeat = new UploadHeartbeat(statements, config);
  const writer = new UploadWriter(statements, store, workers, ends, heartbeat, config);
  const commit = commitOf(services, store, config);
  const compactor = new BlobCompactor(
    new CompactionsRepository(services.repository(Upload)),
    store,
    damageOf(services, store),
  );
  onFileEnd(() => compactor.beforeApplicationShutdown());
  const closer = new UploadCloser(store, writer, commit, ends, heartbeat, compactor);
  const closing = new ClosingRequests(rows, closer, new ClosingWait(rows));
  return {
    uploads: new UploadsService(rows, writer, closer, closing, ends, config),
    rows,
    compactor,
    sweeper: new UploadSweeper(new SweepRepository(services.repository(Upload)), store),
  };
}

export function hashOf(bytes: Buffer, algorithm: Algorithm = 'sha256'): Digest {
  return digestFrom(algorithm, createHash(algorithm).update(bytes).digest());
}

export function uploadTo(repository: RepositoryFact): Omit<UploadSession, 'id'> {
  return { repository, uploader: UPLOADER, authorization: { renew: () => null } };
}

export function sessionOf(repository: RepositoryFact, id: string): UploadSession {
  return { ...uploadTo(repository), id };
}

/** A request's body as the engine gets it; with a range it is a chunk, else a stream of unknown length. */
export function incoming(bytes: Buffer | Readable | null, range?: string): IncomingBody {
  const stream = bytes instanceof Readable ? bytes : Readable.from(bytes ? [bytes] : [], { objectMode: false });
  const headers = bytes ? { 'transfer-encoding': 'chunked' } : {};
  const request = Object.assign(stream, { headers }) as unknown as IncomingMessage;
  return {
    body: new RequestBody(request, 1024, bodyBuffer()),
    contentRange: range,
    signal: new AbortController().signal,
    share: NODE_SHARE,
  };
}
