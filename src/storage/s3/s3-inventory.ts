import {
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { type BlobInventory, type ListedMultipart, type ListedObject, PAGE_SIZE } from '../blob-inventory.js';
import type { Multipart } from '../writer-state.js';
import { isObjectName, OWNER_NAME } from '../object-keys.js';
import { StoreUnavailable } from '../storage-errors.js';
import { limited, SHORT } from './call-limits.js';
import type { EncryptionFields } from './encryption.js';
import type { S3Calls } from './s3-calls.js';
import { errorStatus, isAbsent, storageErrorOf } from './s3-errors.js';

const PRECONDITION_FAILED = 412;
/** Another client writes the object at this moment. */
const CONFLICT = 409;
const NOT_IMPLEMENTED = 501;

/** What a bucket holds, by listing it. */
export class S3Inventory implements BlobInventory {
  constructor(
    private readonly calls: S3Calls,
    private readonly client: S3Client,
    private readonly bucket: string,
    private readonly encryption: EncryptionFields,
  ) {}

  async *objects(): AsyncGenerator<readonly ListedObject[], void, undefined> {
    let token: string | undefined;
    do {
      const command: ListObjectsV2Command = new ListObjectsV2Command({
        Bucket: this.bucket,
        MaxKeys: PAGE_SIZE,
        ContinuationToken: token,
      });
      const reply = await limited(SHORT, undefined, (http) => this.client.send(command, http)).catch(rethrow);
      yield (reply.Contents ?? []).flatMap(({ Key = '', Size = 0, LastModified }) =>
        isObjectName(Key) && LastModified ? { key: Key, size: Size, modifiedAt: LastModified } : [],
      );
      token = reply.NextContinuationToken;
    } while (token !== undefined);
  }

  async *multiparts(): AsyncGenerator<readonly ListedMultipart[], void, undefined> {
    let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | null = {};
    while (marker) {
      const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
        Bucket: this.bucket,
        MaxUploads: PAGE_SIZE,
        ...marker,
      });
      const reply = await limited(SHORT, undefined, (http) => this.client.send(command, http)).catch(rethrow);
      yield (reply.Uploads ?? []).flatMap(({ Key = '', UploadId, Initiated }) =>
        isObjectName(Key) && UploadId && Initiated ? { key: Key, id: UploadId, startedAt: Initiated } : [],
      );
      marker = reply.IsTruncated ? { KeyMarker: reply.NextKeyMarker, UploadIdMarker: reply.NextUploadIdMarker } : null;
    }
  }

  abort(upload: Multipart): Promise<void> {
    return this.calls.abortMultipart(upload);
  }

  async owner(): Promise<string | null> {
    const command = new GetObjectCommand({ Bucket: this.bucket, Key: OWNER_NAME });
    try {
      return await limited(SHORT, undefined, async (http) => {
        const { Body } = await this.client.send(command, http);
        return (await Body?.transformToString())?.trim() ?? null;
      });
    } catch (error) {
      if (isAbsent(error)) return null;
      throw storageErrorOf(error);
    }
  }

  /** Of two that come at once the store refuses one; where it cannot, the later one's name stays, and both read it. */
  async claim(installation: string): Promise<string> {
    try {
      await this.#writeOwner(installation, '*');
    } catch (error) {
      const status = errorStatus(error);
      if (status === NOT_IMPLEMENTED) await this.#writeOwner(installation, undefined).catch(rethrow);
      else if (status !== PRECONDITION_FAILED && status !== CONFLICT) throw storageErrorOf(error);
    }
    const owner = await this.owner();
    if (owner === null) throw new StoreUnavailable('io', 'the object store does not have what it was given');
    return owner;
  }

  async #writeOwner(installation: string, IfNoneMatch: '*' | undefined): Promise<void> {
    const command = new PutObjectCommand({
      Bucket: this.bucket,
      Key: OWNER_NAME,
      Body: `${installation}\n`,
      ContentType: 'text/plain',
      IfNoneMatch,
      ...this.encryption,
    });
    await limited(SHORT, undefined, (http) => this.client.send(command, http));
  }
}

function rethrow(error: unknown): never {
  throw storageErrorOf(error);
}
