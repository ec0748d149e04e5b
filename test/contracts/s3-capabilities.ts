import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createS3Client } from '../../src/storage/s3/s3-client.js';
import { type S3Bucket, S3_DOMAIN } from '../support/s3.js';
import { configOf, MIB } from './s3-config.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');
const CHECKSUM = 'x-amz-checksum-sha256';
const EXPIRES = { expiresIn: 300 };

interface Begun {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

async function begin({ client, bucket }: S3Bucket, Key: string = randomUUID()): Promise<Begun> {
  const { UploadId = '' } = await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
  return { Bucket: bucket, Key, UploadId };
}

async function join({ client }: S3Bucket, begun: Begun, sizes: readonly number[]): Promise<boolean> {
  const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
  const bodies = sizes.map((size) => randomBytes(size));
  for (const [index, Body] of bodies.entries()) {
    const PartNumber = index + 1;
    const { ETag } = await client.send(new UploadPartCommand({ ...begun, PartNumber, Body }));
    Parts.push({ PartNumber, ETag });
  }
  await client.send(new CompleteMultipartUploadCommand({ ...begun, MultipartUpload: { Parts } }));
  const { Body } = await client.send(new GetObjectCommand({ Bucket: begun.Bucket, Key: begun.Key }));
  return Buffer.concat(bodies).equals((await Body?.transformToByteArray()) ?? Buffer.alloc(0));
}

/** A presigned PUT whose signature covers the checksum and the length. */
async function putSigned(
  { client, bucket }: S3Bucket,
  Key: string,
  [promised, sent]: readonly [Buffer, Buffer],
  headers: Record<string, string> = {},
): Promise<number> {
  const command = new PutObjectCommand({
    Bucket: bucket,
    Key,
    ContentLength: promised.length,
    ChecksumSHA256: sha256(promised),
    ...(headers['If-None-Match'] && { IfNoneMatch: '*' }),
  });
  const unhoistableHeaders = new Set([CHECKSUM]);
  const url = await getSignedUrl(client, command, { ...EXPIRES, unhoistableHeaders });
  const reply = await fetch(url, {
    method: 'PUT',
    body: new Uint8Array(sent),
    headers: { [CHECKSUM]: sha256(promised), ...headers },
  });
  return reply.status;
}

async function isAbsent({ client, bucket }: S3Bucket, Key: string): Promise<boolean> {
  return client.send(new HeadObjectCommand({ Bucket: bucket, Key })).then(
    () => false,
    () => true,
  );
}

const DIGITS = '0123456789';

async function severalRanges({ client, bucket }: S3Bucket): Promise<{ status: number; type: string; body: string }> {
  const place = { Bucket: bucket, Key: randomUUID() };
  await client.send(new PutObjectCommand({ ...place, Body: DIGITS }));
  const url = await getSignedUrl(client, new GetObjectCommand(place), EXPIRES);
  const reply = await fetch(url, { headers: { Range: 'bytes=0-1,7-8' } });
  return { status: reply.status, type: reply.headers.get('content-type') ?? '', body: await reply.text() };
}

const WRONG = [Buffer.from('promised bytes'), Buffer.from('other bytes 14')] as const;

/**
 * What a server can do of what the registry uses or could use, each tried on the server itself: true when it does. A row
 * with `isNeeded` is one without which the registry does not run.
 */
export const CAPABILITIES: readonly {
  readonly name: string;
  readonly isNeeded: boolean;
  readonly has: (bucket: S3Bucket) => Promise<boolean>;
}[] = [
  {
    name: 'Multipart upload, parts of different sizes',
    isNeeded: false,
    has: async (bucket) => join(bucket, await begin(bucket), [6 * MIB, 5 * MIB, 1000]),
  },
  {
    name: 'Multipart upload, equal parts',
    isNeeded: true,
    has: async (bucket) => join(bucket, await begin(bucket), [5 * MIB, 5 * MIB, 1000]),
  },
  {
    name: 'Part numbers with gaps',
    isNeeded: true,
    has: async (bucket) => {
      const begun = await begin(bucket);
      const part = { ...begun, PartNumber: 3, Body: randomBytes(1000) };
      const { ETag } = await bucket.client.send(new UploadPartCommand(part));
      const MultipartUpload = { Parts: [{ PartNumber: 3, ETag }] };
      await bucket.client.send(new CompleteMultipartUploadCommand({ ...begun, MultipartUpload }));
      return true;
    },
  },
  {
    name: 'Lists the multipart uploads of one key',
    isNeeded: true,
    has: async (bucket) => {
      const begun = await begin(bucket);
      const command = new ListMultipartUploadsCommand({ Bucket: begun.Bucket, Prefix: begun.Key });
      const { Uploads = [] } = await bucket.client.send(command);
      await bucket.client.send(new AbortMultipartUploadCommand(begun));
      return Uploads.some(({ UploadId }) => UploadId === begun.UploadId);
    },
  },
  {
    name: 'Lists the multipart uploads of a prefix',
    isNeeded: false,
    has: async (bucket) => {
      const begun = await begin(bucket, `prefix/${randomUUID()}`);
      const command = new ListMultipartUploadsCommand({ Bucket: begun.Bucket, Prefix: 'prefix/' });
      const { Uploads = [] } = await bucket.client.send(command);
      await bucket.client.send(new AbortMultipartUploadCommand(begun));
      return Uploads.some(({ UploadId }) => UploadId === begun.UploadId);
    },
  },
  {
    name: 'Refuses a PUT that has not the SHA-256 it says',
    isNeeded: false,
    has: async (bucket) => {
      const Key = randomUUID();
      const wrong = { Bucket: bucket.bucket, Key, Body: WRONG[1], ChecksumSHA256: sha256(WRONG[0]) };
      const refused = await bucket.client.send(new PutObjectCommand(wrong)).catch(() => null);
      return refused === null && isAbsent(bucket, Key);
    },
  },
  {
    name: 'Refuses a part that has not the SHA-256 it says',
    isNeeded: false,
    has: async (bucket) => {
      const begun = await begin(bucket);
      const wrong = { ...begun, PartNumber: 1, Body: WRONG[1], ChecksumSHA256: sha256(WRONG[0]) };
      return (await bucket.client.send(new UploadPartCommand(wrong)).catch(() => null)) === null;
    },
  },
  {
    name: 'Presigned GET, also of a range',
    isNeeded: true,
    has: async ({ client, bucket }) => {
      const place = { Bucket: bucket, Key: randomUUID() };
      await client.send(new PutObjectCommand({ ...place, Body: '0123456789' }));
      const url = await getSignedUrl(client, new GetObjectCommand(place), EXPIRES);
      const ranged = await fetch(url, { headers: { Range: 'bytes=2-4' } });
      return (
        (await (await fetch(url)).text()) === '0123456789' && ranged.status === 206 && (await ranged.text()) === '234'
      );
    },
  },
  {
    name: 'Presigned GET of several ranges gives each of them',
    isNeeded: false,
    has: async (bucket) => {
      const { status, type, body } = await severalRanges(bucket);
      return status === 206 && type.startsWith('multipart/byteranges') && !body.includes('5');
    },
  },
  {
    name: 'Presigned GET of several ranges gives the whole object (200)',
    isNeeded: false,
    has: async (bucket) => {
      const { status, body } = await severalRanges(bucket);
      return status === 200 && body === DIGITS;
    },
  },
  {
    name: 'Presigned PUT takes the bytes that were signed',
    isNeeded: false,
    has: async (bucket) => (await putSigned(bucket, randomUUID(), [WRONG[0], WRONG[0]])) === 200,
  },
  {
    name: 'Presigned PUT refuses other bytes',
    isNeeded: false,
    has: async (bucket) => {
      const Key = randomUUID();
      const status = await putSigned(bucket, Key, WRONG);
      return status >= 400 && status < 500 && isAbsent(bucket, Key);
    },
  },
  {
    name: 'Presigned PUT with `If-None-Match: *` overwrites nothing',
    isNeeded: false,
    has: async (bucket) => {
      const Key = randomUUID();
      const once = { 'If-None-Match': '*' };
      const first = await putSigned(bucket, Key, [WRONG[0], WRONG[0]], once);
      return first === 200 && (await putSigned(bucket, Key, [WRONG[1], WRONG[1]], once)) === 412;
    },
  },
  {
    name: '`If-None-Match: *` on PutObject',
    isNeeded: false,
    has: async ({ client, bucket }) => {
      const once = { Bucket: bucket, Key: randomUUID(), Body: 'x', IfNoneMatch: '*' };
      await client.send(new PutObjectCommand(once));
      const again: unknown = await client.send(new PutObjectCommand(once)).catch((error: unknown) => error);
      return (again as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 412;
    },
  },
  {
    name: 'HeadObject gives the SHA-256',
    isNeeded: false,
    has: async ({ client, bucket }) => {
      const place = { Bucket: bucket, Key: randomUUID() };
      const ChecksumSHA256 = sha256(WRONG[0]);
      await client.send(new PutObjectCommand({ ...place, Body: WRONG[0], ChecksumSHA256 }));
      const head = await client.send(new HeadObjectCommand({ ...place, ChecksumMode: 'ENABLED' }));
      return head.ChecksumSHA256 === ChecksumSHA256;
    },
  },
  {
    name: 'DeleteObjects, absent keys too',
    isNeeded: true,
    has: async ({ client, bucket }) => {
      const Key = randomUUID();
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }));
      const Objects = [{ Key }, { Key: randomUUID() }];
      const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: Key }));
      return Errors.every(({ Code }) => Code === 'NoSuchKey') && Contents.length === 0;
    },
  },
  {
    name: 'Bucket in the host name',
    isNeeded: false,
    has: async (bucket) => {
      const endpoint = `http://${S3_DOMAIN}:${new URL(bucket.endpoint).port}`;
      const client = createS3Client({ ...configOf(bucket), pathStyle: false }, endpoint);
      const place = { Bucket: bucket.bucket, Key: randomUUID() };
      await client.send(new PutObjectCommand({ ...place, Body: 'x' }));
      client.destroy();
      return !(await isAbsent(bucket, place.Key));
    },
  },
];

/** In the order of `CAPABILITIES`; a failure of the server is a no. */
export async function capabilitiesOf(bucket: S3Bucket): Promise<boolean[]> {
  const found: boolean[] = [];
  for (const { has } of CAPABILITIES) found.push(await has(bucket).catch(() => false));
  return found;
}
