import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import pg from 'pg';
import { digestToBytes } from '../../src/oci/digest-bytes.js';
import { parseDigest } from '../../src/oci/digest.js';
import type { Setting } from './registry.js';

/** What of a registry's setting says where its objects are. */
export type ObjectPlace = Pick<Setting, 'dataDir' | 'databaseUrl' | 'store'>;

/** The names of the objects of a digest, one for each domain that bytes are shared in. */
export async function objectsOf({ databaseUrl }: ObjectPlace, digest: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl ?? '' });
  await client.connect();
  try {
    const text = 'SELECT storage_key FROM blobs WHERE digest = $1 ORDER BY id';
    const { rows } = await client.query<{ storage_key: string }>(text, [digestToBytes(parseDigest(digest))]);
    return rows.map((row) => row.storage_key);
  } finally {
    await client.end();
  }
}

export async function readObject({ dataDir, store: { bucket } }: ObjectPlace, key: string): Promise<Buffer> {
  if (!bucket) return readFileSync(path.join(dataDir, 'blobs', key));
  const { Body } = await bucket.client.send(new GetObjectCommand({ Bucket: bucket.bucket, Key: key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

/** Behind the registry's back. */
export async function writeObject(
  { dataDir, store: { bucket } }: ObjectPlace,
  key: string,
  bytes: Buffer,
): Promise<void> {
  if (bucket) await bucket.client.send(new PutObjectCommand({ Bucket: bucket.bucket, Key: key, Body: bytes }));
  else writeFileSync(path.join(dataDir, 'blobs', key), bytes);
}

/** Behind the registry's back. */
export async function deleteObject({ dataDir, store: { bucket } }: ObjectPlace, key: string): Promise<void> {
  if (bucket) await bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.bucket, Key: key }));
  else rmSync(path.join(dataDir, 'blobs', key));
}

/** What a broken disk or an old copy does to an object. */
export const DAMAGES = {
  deleted: deleteObject,
  cut: async (place: ObjectPlace, key: string) => {
    const bytes = await readObject(place, key);
    await writeObject(place, key, bytes.subarray(0, Math.floor(bytes.length / 2)));
  },
  'one bit': async (place: ObjectPlace, key: string) => {
    const bytes = await readObject(place, key);
    const at = Math.floor(bytes.length / 3);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeObject(place, key, bytes);
  },
} as const satisfies Record<string, (place: ObjectPlace, key: string) => Promise<void>>;
