import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import dns from 'node:dns';
import { mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import {
  end,
  eventually,
  freePort,
  isListening,
  needProgram,
  onFileEnd,
  ready,
  scratchDirectory,
  start,
} from './processes.js';
import { shared } from './shared-server.js';

/** The servers' domain for buckets in the host's name; `lookUpLocally` makes it known to this process. */
export const S3_DOMAIN = 's3.test';

/** Names in the servers' domain are this machine, for every connection of this process until the spec file ends. */
export function lookUpLocally(): void {
  const { lookup } = dns;
  const isLocal = (name: string): boolean => name === S3_DOMAIN || name.endsWith(`.${S3_DOMAIN}`);
  dns.lookup = ((name: string, ...rest: [never, never]) => {
    lookup(isLocal(name) ? '127.0.0.1' : name, ...rest);
  }) as typeof lookup;
  onFileEnd(() => {
    dns.lookup = lookup;
    return Promise.resolve();
  });
}

/** `other`: a server that runs already, at `TEST_S3_ENDPOINT` with `TEST_S3_ACCESS_KEY` and `TEST_S3_SECRET_KEY`. */
export type S3Kind = 'versitygw' | 'minio' | 'other';

export interface S3Server {
  endpoint: string;
  accessKey: string;
  secretKey: string;
  region: string;
  pid: number;
}

export interface S3Bucket extends S3Server {
  bucket: string;
  /** The registry's variables for this bucket. */
  env: Record<string, string>;
  client: S3Client;
}

export function s3Kind(): S3Kind {
  const { TEST_S3: kind = 'versitygw' } = process.env;
  if (kind !== 'versitygw' && kind !== 'minio' && kind !== 'other') throw new Error(`TEST_S3 names no server: ${kind}`);
  return kind;
}

/** A new empty bucket on the S3 server that the run shares. `TEST_S3` chooses the server (`versitygw` by default). */
export async function freshBucket(kind: S3Kind = s3Kind()): Promise<S3Bucket> {
  return bucketOn(kind === 'other' ? otherServer() : await shared(`s3-${kind}`, () => launch(kind)));
}

/** A bucket on a server of one's own, for tests that stop or freeze it (`server.pid`); ended with the spec file. */
export async function startS3(kind: S3Kind = s3Kind()): Promise<S3Bucket> {
  if (kind === 'other') throw new Error('a server that runs already is not for a test to stop');
  return bucketOn(await launch(kind, true));
}

async function bucketOn(server: S3Server): Promise<S3Bucket> {
  const bucket = `test-${randomBytes(6).toString('hex')}`;
  const client = new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    forcePathStyle: true,
    credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secretKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  onFileEnd(() => {
    client.destroy();
    return Promise.resolve();
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const env = {
    STORAGE_TYPE: 's3',
    S3_ENDPOINT: server.endpoint,
    S3_BUCKET: bucket,
    S3_REGION: server.region,
    S3_ACCESS_KEY: server.accessKey,
    S3_SECRET_KEY: server.secretKey,
    S3_PATH_STYLE: 'true',
  };
  return { ...server, bucket, env, client };
}

function otherServer(): S3Server {
  const { TEST_S3_ENDPOINT, TEST_S3_ACCESS_KEY, TEST_S3_SECRET_KEY, TEST_S3_REGION = 'us-east-1' } = process.env;
  if (!TEST_S3_ENDPOINT || !TEST_S3_ACCESS_KEY || !TEST_S3_SECRET_KEY)
    throw new Error('TEST_S3=other needs TEST_S3_ENDPOINT, TEST_S3_ACCESS_KEY and TEST_S3_SECRET_KEY');
  const keys = { accessKey: TEST_S3_ACCESS_KEY, secretKey: TEST_S3_SECRET_KEY };
  return { endpoint: TEST_S3_ENDPOINT, ...keys, region: TEST_S3_REGION, pid: 0 };
}

type Launched = Exclude<S3Kind, 'other'>;

async function launch(kind: Launched, isOwn = false): Promise<S3Server> {
  const home = scratchDirectory(kind);
  const port = await freePort();
  const accessKey = `key${randomBytes(6).toString('hex')}`;
  const secretKey = randomBytes(20).toString('hex');
  const data = path.join(home, 'data');
  mkdirSync(data);
  const { args, env } = COMMANDS[kind]({ address: `127.0.0.1:${port}`, data, accessKey, secretKey });
  const log = openSync(path.join(home, 'log'), 'a');
  const child = start(needProgram(kind), args, {
    cwd: home,
    env: { ...process.env, HOME: home, ...env },
    detached: true,
    stdio: ['ignore', log, log],
  });
  child.unref();
  if (isOwn) onFileEnd(() => end(child));
  await ready(child, path.join(home, 'log'), () => isListening(port));
  const server = { endpoint: `http://127.0.0.1:${port}`, accessKey, secretKey, region: 'us-east-1', pid: child.pid };
  if (kind === 'minio') await eventually('MinIO ready', () => isReady(server.endpoint));
  return server;
}

interface Place {
  address: string;
  data: string;
  accessKey: string;
  secretKey: string;
}

const COMMANDS = {
  versitygw: ({ address, data, accessKey, secretKey }: Place) => ({
    // Without a sidecar it keeps metadata in extended attributes, which not every temporary directory has.
    args: [
      '--port',
      address,
      '--region',
      'us-east-1',
      '--virtual-domain',
      S3_DOMAIN,
      'posix',
      '--sidecar',
      makeSidecar(data),
      data,
    ],
    env: { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
  }),
  minio: ({ address, data, accessKey, secretKey }: Place) => ({
    args: ['server', '--quiet', '--address', address, data],
    env: {
      MINIO_ROOT_USER: accessKey,
      MINIO_ROOT_PASSWORD: secretKey,
      MINIO_DOMAIN: S3_DOMAIN,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
    },
  }),
} as const satisfies Record<Launched, (place: Place) => { args: string[]; env: Record<string, string> }>;

/** Beside the data, under a name that does not begin like it: versitygw would take it for a place inside. */
function makeSidecar(data: string): string {
  const sidecar = path.join(path.dirname(data), 'metadata');
  mkdirSync(sidecar);
  return sidecar;
}

/** MinIO listens before it serves. */
async function isReady(endpoint: string): Promise<boolean> {
  const reply = await fetch(`${endpoint}/minio/health/ready`).catch(() => null);
  return reply?.status === 200;
}
