import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import type { ByteRange, Multipart, StoredObject, StoredPart } from '../blob-store.js';
import { abortReason } from '../body-reader.js';
import type { VerifiedObject } from '../direct-uploads.js';
import type { ObjectKey } from '../object-keys.js';
import { ObjectNotFound, StoreUnavailable, UploadLost } from '../storage-errors.js';
import { destroyOnStall } from './s3-stall.js';
import { isAbsent, storageErrorOf } from './s3-errors.js';

const CONTENT_TYPE = 'application/octet-stream';
const DELETE_AT_ONCE = 1000;
const SHA256_BASE64 = /^[A-Za-z0-9+/]{43}=$/;
// For each attempt of a call, in milliseconds. A transfer gets time for its bytes at a rate that a sick link still has.
const SHORT = 20_000;
/** S3 may think for minutes about an upload of thousands of parts; it sends spaces meanwhile. */
const COMPLETION = 300_000;
const transferTime = (bytes: number): number => SHORT + bytes / 256;

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** The calls that the driver makes, on one bucket: each with a time limit, each failure as a `StorageError`. */
export class S3Calls {
  constructor(
    private readonly client: S3Client,
    private readonly bucket: string,
  ) {}

  /** Throws the SDK's own error: at the start it says more than ours. */
  async headBucket(): Promise<void> {
    await this.client.send(new HeadBucketCommand({ Bucket: this.bucket }), { requestTimeout: SHORT });
  }

  async size(key: ObjectKey): Promise<number | null> {
    return (await this.#head(new HeadObjectCommand({ Bucket: this.bucket, Key: key })))?.size ?? null;
  }

  /** With the checksum, for which some servers ask for more rights than for the size. */
  head(key: ObjectKey): Promise<VerifiedObject | null> {
    return this.#head(new HeadObjectCommand({ Bucket: this.bucket, Key: key, ChecksumMode: 'ENABLED' }));
  }

  async #head(command: HeadObjectCommand): Promise<VerifiedObject | null> {
    try {
      const { ContentLength, ChecksumSHA256 = '' } = await this.client.send(command, { requestTimeout: SHORT });
      // Of an object made of parts it is the hash of their hashes, with their number behind it.
      const isOfBytes = SHA256_BASE64.test(ChecksumSHA256);
      const sha256Hex = isOfBytes ? Buffer.from(ChecksumSHA256, 'base64').toString('hex') : null;
      return { size: ContentLength ?? 0, sha256Hex };
    } catch (error) {
      if (!isAbsent(error)) throw storageErrorOf(error);
      // A HEAD has no body: a missing bucket looks like a missing key.
      await this.headBucket().catch(rethrow);
      return null;
    }
  }

  async read(key: ObjectKey, options: CallOptions & { range?: ByteRange | undefined } = {}): Promise<Readable> {
    const { range, signal } = options;
    const Range = range && `bytes=${String(range.first)}-${String(range.last)}`;
    try {
      const reply = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key, Range }), {
        requestTimeout: SHORT,
        ...(signal && { abortSignal: signal }),
      });
      if (reply.Body instanceof Readable) return destroyOnStall(reply.Body);
      throw new StoreUnavailable('io', 'the object store answered without a body');
    } catch (error) {
      throw isAbsent(error) ? new ObjectNotFound(key) : callError(error, signal);
    }
  }

  async put(key: ObjectKey, bytes: Uint8Array, options: CallOptions & { sha256Hex?: string | null | undefined } = {}) {
    const checksum = options.sha256Hex && Buffer.from(options.sha256Hex, 'hex').toString('base64');
    const command = new PutObjectCommand({
      Bucket: this.bucket,
      Key: key,
      Body: bytes,
      ContentLength: bytes.length,
      ContentType: CONTENT_TYPE,
      ...(checksum && { ChecksumSHA256: checksum }),
    });
    await this.#send(
      (http) => this.client.send(command, { ...http, requestTimeout: transferTime(bytes.length) }),
      options,
    );
  }

  /** `checksum`: what every part will be sent with. */
  async createMultipart(key: ObjectKey, options: CallOptions & { checksum?: 'SHA256' }): Promise<Multipart> {
    const command = new CreateMultipartUploadCommand({
      Bucket: this.bucket,
      Key: key,
      ContentType: CONTENT_TYPE,
      ...(options.checksum && { ChecksumAlgorithm: options.checksum }),
    });
    const { UploadId } = await this.#send(
      (http) => this.client.send(command, { ...http, requestTimeout: SHORT }),
      options,
    );
    if (UploadId === undefined) throw new StoreUnavailable('io', 'the object store gave no upload id');
    return { id: UploadId, key };
  }

  async uploadPart(to: Multipart, number: number, bytes: Uint8Array, options: CallOptions = {}): Promise<StoredPart> {
    const command = new UploadPartCommand({
      Bucket: this.bucket,
      Key: to.key,
      UploadId: to.id,
      PartNumber: number,
      Body: bytes,
      ContentLength: bytes.length,
    });
    const { ETag } = await this.#send(
      (http) => this.client.send(command, { ...http, requestTimeout: transferTime(bytes.length) }),
      options,
    );
    if (ETag === undefined) throw new StoreUnavailable('io', 'the object store gave no ETag for a part');
    return { number, etag: ETag, size: bytes.length };
  }

  /** The highest part number in the upload after the given one, or that one itself. */
  async lastPartNumber(of: Multipart, after: number): Promise<number> {
    return Math.max(after, ...(await this.parts(of, after)).map(({ number }) => number));
  }

  /** Every part of the upload whose number is higher than the given one, in their order. */
  async parts(of: Multipart, after = 0): Promise<StoredPart[]> {
    const found: StoredPart[] = [];
    let last = after;
    for (let isMore = true; isMore;) {
      const command = new ListPartsCommand({
        Bucket: this.bucket,
        Key: of.key,
        UploadId: of.id,
        PartNumberMarker: String(last),
      });
      const reply = await this.#send((http) => this.client.send(command, { ...http, requestTimeout: SHORT }));
      const parts = (reply.Parts ?? []).map(({ PartNumber = 0, ETag = '', Size = 0, ChecksumSHA256: sha256 }) => ({
        number: PartNumber,
        etag: ETag,
        size: Size,
        ...(sha256 && { sha256 }),
      }));
      found.push(...parts);
      isMore = reply.IsTruncated === true && parts.length > 0;
      last = Math.max(last, ...parts.map(({ number }) => number));
    }
    return found;
  }

  async completeMultipart(multipart: Multipart, parts: readonly StoredPart[]): Promise<void> {
    const command = new CompleteMultipartUploadCommand({
      Bucket: this.bucket,
      Key: multipart.key,
      UploadId: multipart.id,
      MultipartUpload: {
        Parts: parts.map(({ number, etag, sha256 }) => ({
          PartNumber: number,
          ETag: etag,
          ...(sha256 && { ChecksumSHA256: sha256 }),
        })),
      },
    });
    await this.#send((http) => this.client.send(command, { ...http, requestTimeout: COMPLETION }));
  }

  /** One that is gone already is fine. */
  async abortMultipart({ id, key }: Multipart): Promise<void> {
    const command = new AbortMultipartUploadCommand({ Bucket: this.bucket, Key: key, UploadId: id });
    try {
      await this.#send((http) => this.client.send(command, { ...http, requestTimeout: SHORT }));
    } catch (error) {
      if (!(error instanceof UploadLost)) throw error;
    }
  }

  /** All multipart uploads of exactly this key: the only prefix that every server lists. */
  async multiparts(key: ObjectKey): Promise<Multipart[]> {
    const found: Multipart[] = [];
    let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | null = {};
    while (marker) {
      const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
        Bucket: this.bucket,
        Prefix: key,
        ...marker,
      });
      const reply = await this.#send((http) => this.client.send(command, { ...http, requestTimeout: SHORT }));
      for (const { Key, UploadId } of reply.Uploads ?? [])
        if (Key === key && UploadId) found.push({ id: UploadId, key });
      marker = reply.IsTruncated ? { KeyMarker: reply.NextKeyMarker, UploadIdMarker: reply.NextUploadIdMarker } : null;
    }
    return found;
  }

  async objects(prefix: string): Promise<StoredObject[]> {
    const found: StoredObject[] = [];
    let token: string | undefined;
    do {
      const command: ListObjectsV2Command = new ListObjectsV2Command({
        Bucket: this.bucket,
        Prefix: prefix,
        ContinuationToken: token,
      });
      const reply = await this.#send((http) => this.client.send(command, { ...http, requestTimeout: SHORT }));
      for (const { Key, Size } of reply.Contents ?? []) found.push({ key: Key as ObjectKey, size: Size ?? 0 });
      token = reply.NextContinuationToken;
    } while (token !== undefined);
    return found;
  }

  async delete(keys: readonly ObjectKey[]): Promise<void> {
    for (let from = 0; from < keys.length; from += DELETE_AT_ONCE) {
      const Objects = keys.slice(from, from + DELETE_AT_ONCE).map((Key) => ({ Key }));
      const command = new DeleteObjectsCommand({ Bucket: this.bucket, Delete: { Objects, Quiet: true } });
      const reply = await this.#send((http) => this.client.send(command, { ...http, requestTimeout: SHORT * 3 }));
      const failed = (reply.Errors ?? []).filter(({ Code }) => Code !== 'NoSuchKey');
      if (failed.length > 0) {
        const code = failed[0]?.Code ?? 'unknown';
        throw new StoreUnavailable('io', `${String(failed.length)} objects could not be deleted (${code})`);
      }
    }
  }

  close(): void {
    this.client.destroy();
  }

  async #send<Reply>(
    call: (http: { abortSignal?: AbortSignal }) => Promise<Reply>,
    { signal }: CallOptions = {},
  ): Promise<Reply> {
    try {
      return await call(signal ? { abortSignal: signal } : {});
    } catch (error) {
      throw callError(error, signal);
    }
  }
}

/** The SDK's AbortError has lost the reason. */
function callError(error: unknown, signal: AbortSignal | undefined): Error {
  return signal?.aborted ? abortReason(signal) : storageErrorOf(error);
}

function rethrow(error: unknown): never {
  throw storageErrorOf(error);
}
