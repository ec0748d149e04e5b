import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
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
import type { ReadOptions } from '../blob-store.js';
import type { Multipart, StoredObject, StoredPart } from '../writer-state.js';
import type { VerifiedObject } from '../direct-uploads.js';
import type { ObjectKey } from '../object-keys.js';
import { ObjectNotFound, ObjectSizeDiffers, StoreUnavailable, UploadLost } from '../storage-errors.js';
import { type CallOptions, completionOf, deletionOf, limited, type Limits, SHORT, transferOf } from './call-limits.js';
import type { EncryptionFields } from './encryption.js';
import { destroyOnStall } from './s3-stall.js';
import { errorStatus, isAbsent, storageErrorOf } from './s3-errors.js';

const CONTENT_TYPE = 'application/octet-stream';
const DELETE_AT_ONCE = 1000;
const RANGE_NOT_SATISFIABLE = 416;
const SHA256_BASE64 = /^[A-Za-z0-9+/]{43}=$/;

interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

export interface S3CallsOptions {
  readonly client: S3Client;
  /** For calls that carry bytes. */
  readonly transfers: S3Client;
  readonly bucket: string;
  readonly encryption: EncryptionFields;
}

/** The calls that the driver makes, on one bucket: each with a time limit, each failure as a `StorageError`. */
export class S3Calls {
  private readonly client: S3Client;
  private readonly transfers: S3Client;
  private readonly bucket: string;
  private readonly encryption: EncryptionFields;

  constructor({ client, transfers, bucket, encryption }: S3CallsOptions) {
    this.client = client;
    this.transfers = transfers;
    this.bucket = bucket;
    this.encryption = encryption;
  }

  /** Throws the SDK's own error: at the start it says more than ours. */
  async headBucket(): Promise<void> {
    await limited(SHORT, undefined, (http) => this.client.send(new HeadBucketCommand({ Bucket: this.bucket }), http));
  }

  async size(key: ObjectKey, limits = SHORT): Promise<number | null> {
    return (await this.#head(new HeadObjectCommand({ Bucket: this.bucket, Key: key }), limits))?.size ?? null;
  }

  /** With the checksum, for which some servers ask for more rights than for the size. */
  head(key: ObjectKey): Promise<VerifiedObject | null> {
    return this.#head(new HeadObjectCommand({ Bucket: this.bucket, Key: key, ChecksumMode: 'ENABLED' }));
  }

  async #head(command: HeadObjectCommand, limits = SHORT): Promise<VerifiedObject | null> {
    try {
      const { ContentLength, ChecksumSHA256 = '' } = await limited(limits, undefined, (http) =>
        this.client.send(command, http),
      );
      // Of an object made of parts it is the hash of their hashes, with their number behind it.
      const isOfBytes = SHA256_BASE64.test(ChecksumSHA256);
      const sha256Hex = isOfBytes ? Buffer.from(ChecksumSHA256, 'base64').toString('hex') : null;
      // Taken for 0, it would make every object one that was cut short.
      if (ContentLength === undefined) throw new StoreUnavailable('io', 'the object store did not say how large it is');
      return { size: ContentLength, sha256Hex };
    } catch (error) {
      if (!isAbsent(error)) throw storageErrorOf(error);
      // A HEAD has no body: a missing bucket looks like a missing key.
      await this.headBucket().catch(rethrow);
      return null;
    }
  }

  /** With the object's size an object of another one is refused. */
  async read(
    key: ObjectKey,
    { range, signal, size }: Cancellable & Omit<ReadOptions, 'signal'> = {},
  ): Promise<Readable> {
    const Range = range && `bytes=${String(range.first)}-${String(range.last)}`;
    const command = new GetObjectCommand({ Bucket: this.bucket, Key: key, Range });
    try {
      const reply = await limited(SHORT, signal, (http) => this.client.send(command, http));
      if (!(reply.Body instanceof Readable))
        throw new StoreUnavailable('io', 'the object store answered without a body');
      if (size === undefined || (sizeIn(reply) ?? size) === size) return destroyOnStall(reply.Body);
      reply.Body.on('error', () => undefined).destroy();
      throw new ObjectSizeDiffers(key, size);
    } catch (error) {
      if (isAbsent(error)) throw new ObjectNotFound(key);
      if (size !== undefined && errorStatus(error) === RANGE_NOT_SATISFIABLE) throw new ObjectSizeDiffers(key, size);
      throw signal?.aborted ? error : storageErrorOf(error);
    }
  }

  async put(key: ObjectKey, bytes: Uint8Array, options: Cancellable & { sha256Hex?: string | null | undefined } = {}) {
    const checksum = options.sha256Hex && Buffer.from(options.sha256Hex, 'hex').toString('base64');
    const command = new PutObjectCommand({
      Bucket: this.bucket,
      Key: key,
      Body: bytes,
      ContentLength: bytes.length,
      ContentType: CONTENT_TYPE,
      ...(checksum && { ChecksumSHA256: checksum }),
      ...this.encryption,
    });
    await this.#send((http) => this.transfers.send(command, http), transferOf(bytes.length), options);
  }

  /** `checksum`: what every part will be sent with. */
  async createMultipart(key: ObjectKey, options: Cancellable & { checksum?: 'SHA256' }): Promise<Multipart> {
    const command = new CreateMultipartUploadCommand({
      Bucket: this.bucket,
      Key: key,
      ContentType: CONTENT_TYPE,
      ...(options.checksum && { ChecksumAlgorithm: options.checksum }),
      ...this.encryption,
    });
    const { UploadId } = await this.#send((http) => this.client.send(command, http), SHORT, options);
    if (UploadId === undefined) throw new StoreUnavailable('io', 'the object store gave no upload id');
    return { id: UploadId, key };
  }

  async uploadPart(to: Multipart, number: number, bytes: Uint8Array, options: Cancellable = {}): Promise<StoredPart> {
    const command = new UploadPartCommand({
      Bucket: this.bucket,
      Key: to.key,
      UploadId: to.id,
      PartNumber: number,
      Body: bytes,
      ContentLength: bytes.length,
    });
    const limits = transferOf(bytes.length);
    const { ETag } = await this.#send((http) => this.transfers.send(command, http), limits, options);
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
      const reply = await this.#send((http) => this.client.send(command, http));
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
    const bytes = parts.reduce((sum, { size }) => sum + size, 0);
    await this.#send((http) => this.client.send(command, http), completionOf(bytes));
  }

  /** One that is gone already is fine. */
  async abortMultipart({ id, key }: Multipart, limits: Limits = SHORT): Promise<void> {
    const command = new AbortMultipartUploadCommand({ Bucket: this.bucket, Key: key, UploadId: id });
    try {
      await this.#send((http) => this.client.send(command, http), limits);
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
      const reply = await this.#send((http) => this.client.send(command, http));
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
      const reply = await this.#send((http) => this.client.send(command, http));
      for (const { Key, Size } of reply.Contents ?? []) found.push({ key: Key as ObjectKey, size: Size ?? 0 });
      token = reply.NextContinuationToken;
    } while (token !== undefined);
    return found;
  }

  async delete(keys: readonly ObjectKey[]): Promise<void> {
    for (let from = 0; from < keys.length; from += DELETE_AT_ONCE) {
      const Objects = keys.slice(from, from + DELETE_AT_ONCE).map((Key) => ({ Key }));
      const command = new DeleteObjectsCommand({ Bucket: this.bucket, Delete: { Objects, Quiet: true } });
      const reply = await this.#send((http) => this.client.send(command, http), deletionOf(Objects.length));
      const failed = (reply.Errors ?? []).filter(({ Code }) => Code !== 'NoSuchKey');
      if (failed.length > 0) {
        const code = failed[0]?.Code ?? 'unknown';
        throw new StoreUnavailable('io', `${String(failed.length)} objects could not be deleted (${code})`);
      }
    }
  }

  close(): void {
    this.client.destroy();
    this.transfers.destroy();
  }

  async #send<Reply>(
    call: (http: CallOptions) => Promise<Reply>,
    limits = SHORT,
    { signal }: Cancellable = {},
  ): Promise<Reply> {
    try {
      return await limited(limits, signal, call);
    } catch (error) {
      throw signal?.aborted ? error : storageErrorOf(error);
    }
  }
}

/** Bytes of the whole object, of which the answer may have a range; `undefined` when it does not say (`bytes 0-9/*`). */
function sizeIn({ ContentRange, ContentLength }: GetObjectCommandOutput): number | undefined {
  const size = ContentRange === undefined ? ContentLength : Number(ContentRange.split('/')[1]);
  return Number.isSafeInteger(size) ? size : undefined;
}

function rethrow(error: unknown): never {
  throw storageErrorOf(error);
}
