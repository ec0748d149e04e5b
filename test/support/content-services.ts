import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DataSource, type Repository } from 'typeorm';
import { ContentRepository } from '../../src/registry/blobs/content.repository.js';
import { ContentTreeRepository } from '../../src/registry/blobs/content-tree/content-tree.repository.js';
import { ContentTree } from '../../src/registry/blobs/content-tree/content-tree.service.js';
import { ContentService } from '../../src/registry/blobs/content.service.js';
import { RepoContent } from '../../src/registry/blobs/repo-content.entity.js';
import type { FactCache } from '../../src/cache/fact-cache.js';
import { MemoryFactCache } from '../../src/cache/memory-fact-cache.js';
import { dataSourceOptions } from '../../src/database/data-source-options.js';
import { migrate } from '../../src/database/migrate.js';
import { UnitOfWork } from '../../src/database/unit-of-work.js';
import { EventHandlers } from '../../src/events/event-handlers.js';
import { EventOutbox } from '../../src/events/event-outbox.js';
import { EventsService } from '../../src/events/events.service.js';
import { FactDrops } from '../../src/events/fact-drops.js';
import { OutboxService } from '../../src/events/outbox.service.js';
import type { RepositoryFact } from '../../src/access/repository-fact.js';
import { digestToBytes } from '../../src/oci/digest-bytes.js';
import { parseDigest, type Digest } from '../../src/oci/digest.js';
import type { RepositoryName } from '../../src/oci/repository-name.js';
import { ManifestParser } from '../../src/registry/parsing/manifest-parser.service.js';
import { digestOf } from './content.js';
import { freshDatabase, type TestDatabase } from './postgres.js';
import { onFileEnd } from './processes.js';

const ENTITIES = fileURLToPath(new URL('../../src', import.meta.url));

/** A migrated database of the spec file's own with the services below the controllers, and rows to begin with. */
export interface ContentServices {
  readonly database: TestDatabase;
  readonly dataSource: DataSource;
  readonly unitOfWork: UnitOfWork;
  readonly facts: FactCache;
  readonly drops: FactDrops;
  readonly events: EventsService;
  /** None at first. */
  readonly handlers: EventHandlers;
  /** Closed at first. */
  readonly eventOutbox: EventOutbox;
  readonly content: ContentService;
  repository<T extends object>(entity: new () => T): Repository<T>;
  /** A repository in the namespace `acme`, listed. */
  newRepository(name: string): Promise<RepositoryFact>;
  /** A blob that the repository holds, without bytes in any store. */
  holdBlob(repository: RepositoryFact, text: string): Promise<{ digest: Digest; size: number }>;
}

export async function contentServices(facts: FactCache = new MemoryFactCache()): Promise<ContentServices> {
  const database = await freshDatabase();
  const settings = { url: database.url, embedded: false, directUrl: null, maxConnections: 10 };
  await migrate(settings);
  const dataSource = await new DataSource({ ...dataSourceOptions(settings), entities: await entities() }).initialize();
  onFileEnd(() => dataSource.destroy());
  const unitOfWork = new UnitOfWork(dataSource);
  const tree = new ContentTree(new ContentTreeRepository(), new ManifestParser());
  const content = new ContentService(new ContentRepository(dataSource.getRepository(RepoContent)), tree, facts);
  const [namespace] = await database.query<{ id: string }>(
    `INSERT INTO namespaces (name, kind) VALUES ('acme', 'org') RETURNING id`,
  );
  const namespaceId = Number(namespace?.id);
  const drops = new FactDrops(facts, new OutboxService());
  const eventOutbox = new EventOutbox();
  const handlers = new EventHandlers();
  return {
    database,
    dataSource,
    unitOfWork,
    facts,
    content,
    drops,
    events: new EventsService(drops, eventOutbox, handlers),
    handlers,
    eventOutbox,
    repository: (entity) => dataSource.getRepository(entity),
    newRepository: async (name) => {
      const repository = await insertRepository(database, namespaceId, name);
      return { ...repository, namespaceId, visibility: 'private', sparse: false, listed: true, grants: [] };
    },
    holdBlob: async ({ id }, text) => {
      const blob = await insertBlob(database, text);
      await unitOfWork.run((tx) => content.link(tx, id, blob.digest, blob));
      return { digest: blob.digest, size: blob.size };
    },
  };
}

async function insertRepository(
  database: TestDatabase,
  namespaceId: number,
  name: string,
): Promise<Pick<RepositoryFact, 'id' | 'path'>> {
  const path = `acme/${name}` as RepositoryName;
  const [row] = await database.query<{ id: string }>(
    `INSERT INTO repos (namespace_id, name, path, visibility, listed_at) VALUES ($1, $2, $3, 'private', now()) RETURNING id`,
    [namespaceId, name, path],
  );
  return { id: Number(row?.id), path };
}

async function insertBlob(
  database: TestDatabase,
  text: string,
): Promise<{ blobId: number; digest: Digest; size: number }> {
  const digest = parseDigest(digestOf(text));
  const size = Buffer.byteLength(text);
  const [row] = await database.query<{ id: string }>(
    `INSERT INTO blobs (domain, digest, size, store, storage_key) VALUES ('*', $1, $2, 'filesystem', $3)
     ON CONFLICT (domain, digest) DO UPDATE SET state = 'live' RETURNING id`,
    [digestToBytes(digest), size, `test/${digest}`],
  );
  return { blobId: Number(row?.id), digest, size };
}

async function entities(): Promise<(new () => object)[]> {
  const files = readdirSync(ENTITIES, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.entity.ts'),
  );
  const classes: (new () => object)[] = [];
  // One after the other: jest links modules that are imported at once only by luck.
  for (const file of files) {
    const module = (await import(pathToFileURL(path.join(ENTITIES, file)).href)) as object;
    classes.push(...(Object.values(module) as (new () => object)[]));
  }
  return classes;
}
