// needs: postgresql redis-server versitygw minio dockerd
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from '@jest/globals';
import { startDockerd } from './dockerd.js';
import { freshDatabase } from './postgres.js';
import { isListening } from './processes.js';
import { startRedis } from './redis.js';
import { freshBucket } from './s3.js';

describe('the servers that tests start', () => {
  it.each([
    ['embedded', /^PostgreSQL 18/],
    ['debian', /^PostgreSQL 1[5-7]/],
  ] as const)('give each spec file a database of its own (%s)', async (kind, expected) => {
    const [one, two] = [await freshDatabase(kind), await freshDatabase(kind)];
    await one.query('CREATE TABLE only_in_one (a int)');
    const sql = "SELECT to_regclass('only_in_one') AS found, version() AS version";
    const [row] = await two.query<{ found: string | null; version: string }>(sql);
    expect(row?.found).toBeNull();
    expect(row?.version).toMatch(expected);
  });

  it.each(['versitygw', 'minio'] as const)('give each spec file a bucket of its own (%s)', async (kind) => {
    const [one, two] = [await freshBucket(kind), await freshBucket(kind)];
    await one.client.send(new PutObjectCommand({ Bucket: one.bucket, Key: 'a/b', Body: 'x' }));
    const keys = async ({ client, bucket }: typeof one) =>
      (await client.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents?.map(({ Key }) => Key);
    expect(await keys(one)).toEqual(['a/b']);
    expect(await keys(two)).toBeUndefined();
  });

  it('include a Redis that ends when it is told to', async () => {
    const redis = await startRedis();
    expect(await isListening(redis.port)).toBe(true);
    await redis.stop();
    expect(await isListening(redis.port)).toBe(false);
  });

  it('include a docker daemon that needs no network set-up', async () => {
    const { docker } = await startDockerd();
    expect((await docker(['info', '--format', '{{.Driver}}'])).stdout.trim()).toBe('vfs');
  }, 90_000);
});
