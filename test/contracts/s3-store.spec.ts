import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { S3Config } from '../../src/config/config-values.js';
import { MemoryBudget } from '../../src/storage/memory-budget.js';
import { S3Store } from '../../src/storage/s3/s3-store.js';
import { freshBucket, type S3Bucket } from '../support/s3.js';
import { describeBlobStore } from './blob-store.contract.js';

const MIB = 1024 * 1024;

function configOf({ endpoint, bucket, region, accessKey, secretKey }: S3Bucket): S3Config {
  const place = { endpoint, publicEndpoint: null, bucket, region };
  return { ...place, accessKey, secretKey, pathStyle: true, equalPartBytes: null };
}

async function namesIn({ client, bucket }: S3Bucket, stem: string): Promise<string[]> {
  const objects = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: stem }));
  const uploads = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: `${stem}.0m` }));
  return [
    ...(objects.Contents ?? []).map(({ Key = '' }) => Key),
    ...(uploads.Uploads ?? []).map(({ Key = '' }) => `${Key} (upload)`),
  ];
}

describeBlobStore('s3', async () => {
  const bucket = await freshBucket();
  return {
    node: () => new S3Store(configOf(bucket), new MemoryBudget(256 * MIB)),
    namesOf: (stem) => namesIn(bucket, stem),
  };
});

describeBlobStore('s3 with equal parts', async () => {
  const bucket = await freshBucket();
  return {
    node: () => new S3Store({ ...configOf(bucket), equalPartBytes: 6 * MIB }, new MemoryBudget(256 * MIB)),
    namesOf: (stem) => namesIn(bucket, stem),
  };
});
