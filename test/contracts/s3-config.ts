import type { S3Config } from '../../src/config/config-values.js';
import { MemoryBudget } from '../../src/storage/memory-budget.js';
import type { S3Bucket } from '../support/s3.js';

export const MIB = 1024 * 1024;

export function configOf({ endpoint, bucket, region, accessKey, secretKey }: S3Bucket): S3Config {
  return {
    endpoint,
    publicEndpoint: null,
    bucket,
    region,
    accessKey,
    secretKey,
    pathStyle: true,
    caFile: null,
    equalPartBytes: null,
    serverSideEncryption: null,
    kmsKeyId: null,
  };
}

export const budget = (): MemoryBudget => new MemoryBudget(256 * MIB);
