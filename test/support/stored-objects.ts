import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { digestToBytes } from '../../src/oci/digest-bytes.js';
import { parseDigest } from '../../src/oci/digest.js';
import { OWNER_NAME } from '../../src/storage/object-keys.js';
import type { Registry } from './registry.js';

/** Objects of a registry, changed behind its back. */
export class StoredObjects {
  constructor(private readonly registry: Pick<Registry, 'databaseUrl' | 'dataDir' | 'store'>) {}

  /** Those of a digest: one for each domain that holds it. */
  async keysOf(digest: string): Promise<string[]> {
    const client = new pg.Client({ connectionString: this.registry.databaseUrl ?? '' });
    await client.connect();
    try {
      const bytes = digestToBytes(parseDigest(digest));
      const sql = 'SELECT storage_key FROM blobs WHERE digest = $1 ORDER BY id';
      return (await client.query<{ storage_key: string }>(sql, [bytes])).rows.map((row) => row.storage_key);
    } finally {
      await client.end();
    }
  }

  async read(key: string): Promise<Buffer> {
    const { bucket } = this.registry.store;
    if (bucket === null) return readFileSync(this.fileOf(key));
    const reply = await bucket.client.send(new GetObjectCommand({ Bucket: bucket.bucket, Key: key }));
    return Buffer.from((await reply.Body?.transformToByteArray()) ?? []);
  }

  async write(key: string, bytes: Buffer): Promise<void> {
    const { bucket } = this.registry.store;
    if (bucket === null) {
      rmSync(this.fileOf(key), { force: true });
      writeFileSync(this.fileOf(key), bytes);
    } else await bucket.client.send(new PutObjectCommand({ Bucket: bucket.bucket, Key: key, Body: bytes }));
  }

  async remove(key: string): Promise<void> {
    const { bucket } = this.registry.store;
    if (bucket === null) rmSync(this.fileOf(key));
    else await bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.bucket, Key: key }));
  }

  async cut(key: string): Promise<void> {
    await this.write(key, (await this.read(key)).subarray(0, -1));
  }

  async flipBit(key: string): Promise<void> {
    const bytes = await this.read(key);
    const at = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    await this.write(key, bytes);
  }

  /** What says whose store it is. */
  get ownerKey(): string {
    return OWNER_NAME;
  }

  private fileOf(key: string): string {
    return path.join(this.registry.dataDir, 'blobs', key);
  }
}
