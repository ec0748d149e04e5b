import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { OWNER_NAME } from '../../src/storage/object-keys.js';
import type { Registry } from '../support/registry.js';
import type { S3Bucket } from '../support/s3.js';

/** One statement on the registry's own database. */
export async function query<Row extends pg.QueryResultRow>(
  { databaseUrl }: Registry,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  if (databaseUrl === null) throw new Error('the registry runs its own database');
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** Everything that bytes can be left in: files, or objects and unfinished multipart uploads. What names the owner stays. */
export async function storedThings({ store, dataDir }: Registry): Promise<string[]> {
  return store.bucket === null
    ? filesBelow(dataDir)
    : [...(await objectsIn(store.bucket)), ...(await partsIn(store.bucket))];
}

function filesBelow(directory: string): string[] {
  const names = existsSync(directory) ? readdirSync(directory, { recursive: true, encoding: 'utf8' }) : [];
  return names.filter((name) => path.basename(name) !== OWNER_NAME && isFile(path.join(directory, name))).sort();
}

/** False also for what vanished since it was listed. */
function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

async function objectsIn({ client, bucket }: S3Bucket): Promise<string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, ContinuationToken: token }));
    keys.push(...(page.Contents ?? []).map(({ Key = '' }) => `object ${Key}`));
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return keys.filter((key) => key !== `object ${OWNER_NAME}`).sort();
}

async function partsIn({ client, bucket }: S3Bucket): Promise<string[]> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return Uploads.map(({ Key = '' }) => `multipart ${Key}`).sort();
}

export interface UploadRow {
  readonly state: string;
  readonly received: string;
  readonly epoch: number;
}

export async function uploadRow(registry: Registry, id: string): Promise<UploadRow | undefined> {
  const [row] = await query<UploadRow & pg.QueryResultRow>(
    registry,
    'SELECT state, received, epoch FROM uploads WHERE id = $1',
    [id],
  );
  return row;
}

/** How many rows each table has that a refused manifest could have left one in. */
export async function manifestRows(registry: Registry): Promise<Record<string, number>> {
  const tables = ['manifests', 'manifest_refs', 'tags', 'tag_events', 'repo_content', 'uploads', 'blobs'];
  const counts: Record<string, number> = {};
  for (const table of tables) {
    const [row] = await query<{ rows: string }>(registry, `SELECT count(*) AS rows FROM ${table}`);
    counts[table] = Number(row?.rows);
  }
  return counts;
}
