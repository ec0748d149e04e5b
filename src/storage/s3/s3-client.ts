import { S3Client } from '@aws-sdk/client-s3';
import type { S3Config } from '../../config/config-values.js';

const SOCKETS = { keepAlive: true, maxSockets: Infinity };

/** A client of the endpoint given: the store's own for calls, the public one for URLs that clients get. */
export function createS3Client(config: S3Config, endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: config.region,
    forcePathStyle: config.pathStyle,
    credentials: { accessKeyId: config.accessKey, secretAccessKey: config.secretKey },
    // Other servers than Amazon's refuse the trailers that the SDK would add to every body.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Bodies of 2 MiB and more would wait seconds for servers that never answer 100.
    expectContinueHeader: false,
    maxAttempts: 3,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: 5_000,
      // A read that a slow client holds back is silent for as long as it likes; calls have limits of their own.
      socketTimeout: 0,
      throwOnRequestTimeout: true,
      httpAgent: SOCKETS,
      httpsAgent: SOCKETS,
    },
  });
}
