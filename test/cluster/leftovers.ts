import { ListMultipartUploadsCommand, ListObjectsV2Command, type MultipartUpload } from '@aws-sdk/client-s3';
import { OWNER_NAME } from '../../src/storage/object-keys.js';
import { eventually } from '../support/processes.js';
import type { S3Bucket } from '../support/s3.js';
import type { Cluster } from './cluster.js';
import { scale } from './scale.js';

/** An upload's life of a minute and a sweep; or the five minutes' lease of a node that was killed at its sweep. */
const SWEPT_MS = 8 * 60_000;

export interface Leftovers {
  readonly objects: number;
  readonly blobs: number;
  readonly multiparts: number;
  readonly liveUploads: number;
  /** Objects that no row names, and blobs without an object. */
  readonly unnamed: string[];
  readonly missing: string[];
}

/** What is in the bucket and what the rows say of it, once every upload that nobody finished has expired and is swept. */
export async function leftoversOf({ database, bucket }: Cluster): Promise<Leftovers> {
  if (!scale.isExpiryAwaited) await database.query('UPDATE uploads SET expires_at = now()');
  await eventually('every upload is swept', async () => (await uploadRows()) === 0, SWEPT_MS, 500);
  const keys = new Set(await objectKeys(bucket));
  const rows = await database.query<{ storage_key: string }>('SELECT storage_key FROM blobs');
  const named = new Set(rows.map(({ storage_key }) => storage_key));
  return {
    objects: keys.size,
    blobs: named.size,
    multiparts: (await multiparts(bucket)).length,
    liveUploads: await uploadRows(),
    unnamed: [...keys].filter((key) => !named.has(key)),
    missing: [...named].filter((key) => !keys.has(key)),
  };

  async function uploadRows(): Promise<number> {
    const [row] = await database.query<{ count: string }>('SELECT count(*) FROM uploads');
    return Number(row?.count);
  }
}

/** All but the one that says whose bucket it is. */
async function objectKeys({ client, bucket }: S3Bucket): Promise<string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, ContinuationToken: token }));
    keys.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return keys.filter((key) => key !== OWNER_NAME);
}

async function multiparts({ client, bucket }: S3Bucket): Promise<MultipartUpload[]> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return Uploads;
}
