import type { Readable } from 'node:stream';
import type { S3Config } from '../../config/config-values.js';
import { Garbage } from '../../fairness/garbage.js';
import { DIRECT, type Proxies } from '../../outgoing/proxies.js';
import { authoritiesOf } from '../../outgoing/trusted-authorities.js';
import { StartupError } from '../../config/startup-error.js';
import {
  BlobStore,
  type AppendOptions,
  type Appended,
  type Completed,
  type ObjectStat,
  type ReadOptions,
  type SignedUrlOptions,
  type WriteTarget,
} from '../blob-store.js';
import type { Multipart, S3State, StoredPart, WriterState } from '../writer-state.js';
import { destroyOnAbort } from '../body-reader.js';
import type { MemoryBudget } from '../memory-budget.js';
import { epochKey, parseObjectKey, type ObjectKey, WRITE_CHECK_NAME } from '../object-keys.js';
import { ObjectNotFound, ObjectSizeDiffers, StoreUnavailable, UploadLost } from '../storage-errors.js';
import { GLANCE, PARTING } from './call-limits.js';
import { encryptionFields } from './encryption.js';
import { PartPlan } from './part-plan.js';
import { emptyState, nextPartNumber, PartWriter, partsSize, tailBytes } from './part-writer.js';
import { S3Calls } from './s3-calls.js';
import { createS3Client, createTransferClient, probeAgent } from './s3-client.js';
import { S3DirectUploads } from './s3-direct-uploads.js';
import { adviceOnConnection, connectionFailure, storageErrorOf } from './s3-errors.js';
import { S3Inventory } from './s3-inventory.js';
import { SignedUrls } from './signed-urls.js';

/** A part of 8 MiB leaves some 120 KB of garbage. */
const PART_GARBAGE_BYTES = 2 * 2 ** 30;

/**
 * Objects in a bucket. A blob is written once, to the key that it keeps: small ones by one `PutObject`, large ones by
 * a multipart upload whose parts count when their ETags are in the upload's row.
 */
export class S3Store extends BlobStore {
  readonly driver = 's3';
  readonly direct: S3DirectUploads;
  readonly inventory: S3Inventory;
  readonly compaction = null;
  readonly #calls: S3Calls;
  readonly #plan: PartPlan;
  readonly #garbage = new Garbage(PART_GARBAGE_BYTES);
  readonly #urls: SignedUrls;

  constructor(
    private readonly config: S3Config,
    private readonly budget: MemoryBudget,
    proxies: Proxies = DIRECT,
  ) {
    super();
    this.#plan = new PartPlan(config.equalPartBytes);
    const { bucket, endpoint, caFile } = config;
    const outgoing = { proxies, ...(caFile !== null && { trust: authoritiesOf('S3_CA_FILE', caFile) }) };
    const client = createS3Client(config, endpoint, outgoing);
    const publicClient = createS3Client(config, config.publicEndpoint ?? endpoint, outgoing);
    const encryption = encryptionFields(config);
    this.#calls = new S3Calls({
      client,
      transfers: createTransferClient(config, endpoint, outgoing),
      bucket,
      encryption,
    });
    this.inventory = new S3Inventory(this.#calls, client, bucket, encryption);
    this.#urls = new SignedUrls(publicClient, bucket);
    this.direct = new S3DirectUploads(
      { client: publicClient, ownClient: client, agent: probeAgent(config, outgoing), bucket, encryption },
      this.#calls,
      this.#plan,
    );
  }

  async prepare(): Promise<void> {
    const { bucket, endpoint } = this.config;
    const twoParts = 2 * this.#plan.largestPartBytes;
    if (this.budget.totalBytes < twoParts) {
      throw new StartupError(
        `UPLOAD_MEMORY_BUDGET must be at least two of the largest parts: ${String(twoParts)} bytes`,
      );
    }
    try {
      await this.#calls.headBucket();
    } catch (error) {
      if ((error as Error).name === 'CredentialsProviderError')
        throw new StartupError(NO_CREDENTIALS, { cause: error });
      const { $metadata, name } = error as { $metadata?: { httpStatusCode?: number }; name?: string };
      const status = $metadata?.httpStatusCode ?? 0;
      const advice =
        adviceOnConnection(error) ?? BUCKET_ADVICE[status] ?? 'see whether S3_ENDPOINT is right and the store runs';
      const failure = status === 0 ? connectionFailure(error) : `${String(status)} ${name ?? ''}`.trim();
      throw new StartupError(`the bucket "${bucket}" at ${endpoint} cannot be used (${failure}): ${advice}`, {
        cause: error,
      });
    }
  }

  async check(): Promise<void> {
    await this.#calls.headBucket().catch((error: unknown) => {
      throw storageErrorOf(error);
    });
  }

  async checkWrite(): Promise<void> {
    const key = WRITE_CHECK_NAME as ObjectKey;
    await this.#calls.put(key, new Uint8Array(1));
    // Where deletion is forbidden (object lock) writes succeed all the same, and the next check writes over it.
    await this.#calls.delete([key]).catch(() => undefined);
  }

  space(): Promise<null> {
    return Promise.resolve(null);
  }

  async stat(key: ObjectKey): Promise<ObjectStat | null> {
    const size = await this.#calls.size(parseObjectKey(key));
    return size === null ? null : { size };
  }

  async open(key: ObjectKey, options: ReadOptions = {}): Promise<Readable> {
    return destroyOnAbort(await this.#calls.read(parseObjectKey(key), options), options.signal);
  }

  signedUrl(key: ObjectKey, options: SignedUrlOptions): Promise<URL> {
    return this.#urls.of(parseObjectKey(key), options, ({ size }) => this.#isWhole(key, size));
  }

  async put(target: WriteTarget, bytes: Uint8Array, sha256Hex?: string): Promise<ObjectKey> {
    const key = epochKey(target.key, target.epoch);
    await this.#calls.put(key, bytes, { sha256Hex });
    return key;
  }

  async delete(keys: readonly ObjectKey[]): Promise<void> {
    await this.#calls.delete(keys.map(parseObjectKey));
  }

  async append(
    target: WriteTarget,
    state: WriterState | null,
    body: AsyncIterable<Uint8Array>,
    options: AppendOptions,
  ): Promise<Appended> {
    const base = s3StateOf(state);
    if (sizeOf(base) !== options.offset) throw new Error('the state does not hold the bytes before the offset');
    const writing = { calls: this.#calls, budget: this.budget, plan: this.#plan, garbage: this.#garbage };
    const appended = await new PartWriter(writing, target, base, options).write(body);
    return appended.bytes === 0 ? { ...appended, state } : appended;
  }

  async complete(target: WriteTarget, state: WriterState | null): Promise<Completed> {
    const base = s3StateOf(state);
    const { multipart, parts, tail, stale } = base;
    if (multipart && parts.length > 0) {
      await this.#completeMultipart(target, base, multipart);
      await this.#abortAll(stale);
      return { key: multipart.key, isSplit: false, obsolete: tail ? [tail.key] : [] };
    }
    await this.#abortAll(multipart ? [...stale, multipart] : stale);
    if (tail) return { key: tail.key, isSplit: false, obsolete: [] };
    // Epoch 0 has no writer: a repeated completion makes no second object.
    const key = epochKey(target.key, 0, 'whole');
    await this.#calls.put(key, new Uint8Array());
    return { key, isSplit: false, obsolete: [] };
  }

  async abandon(target: WriteTarget, state: WriterState | null, keep?: ObjectKey): Promise<void> {
    const { multipart, stale } = s3StateOf(state);
    const known = multipart ? [...stale, multipart] : stale;
    const listed = await this.#calls.multiparts(epochKey(target.key, 0, 'multipart'));
    const ids = new Map([...known, ...listed].map((upload) => [upload.id, upload]));
    await Promise.all([...ids.values()].map((upload) => this.#calls.abortMultipart(upload)));
    // After the uploads: one of them might have been completed a moment ago.
    const objects = await this.#calls.objects(`${target.key}.`);
    await this.#calls.delete(objects.map(({ key }) => key).filter((key) => key !== keep));
  }

  close(): Promise<void> {
    this.#calls.close();
    this.#urls.close();
    return Promise.resolve();
  }

  /** Also after a crash: an upload that is gone because it was completed shows as an object of the right size. */
  /** False when the store does not say in time. Throws when it says that the object is absent or of another size. */
  async #isWhole(key: ObjectKey, expected: number | undefined): Promise<boolean> {
    if (expected === undefined) return true;
    let size: number | null;
    try {
      size = await this.#calls.size(key, GLANCE);
    } catch (error) {
      if (error instanceof StoreUnavailable) return false;
      throw error;
    }
    if (size === null) throw new ObjectNotFound(key);
    if (size !== expected) throw new ObjectSizeDiffers(key, expected);
    return true;
  }

  async #completeMultipart(target: WriteTarget, base: S3State, multipart: Multipart): Promise<void> {
    try {
      const last = base.tail ? [await this.#tailAsPart(target, base, base.tail, multipart)] : [];
      await this.#calls.completeMultipart(multipart, [...base.parts, ...last]);
    } catch (error) {
      if (!(error instanceof UploadLost)) throw error;
      if ((await this.#calls.size(multipart.key)) !== sizeOf(base)) throw error;
    }
  }

  async #tailAsPart(
    target: WriteTarget,
    base: S3State,
    tail: NonNullable<S3State['tail']>,
    multipart: Multipart,
  ): Promise<StoredPart> {
    const over = new AbortController();
    const lease = await this.budget.take(tail.size, over.signal);
    try {
      const number = await nextPartNumber(this.#calls, base, multipart, target.epoch);
      let filled = 0;
      for await (const chunk of tailBytes(this.#calls, tail)) {
        lease.memory.set(chunk, filled);
        filled += chunk.length;
      }
      return await this.#calls.uploadPart(multipart, number, lease.memory, { signal: over.signal });
    } finally {
      // A call that failed may still be sending, and the memory is another's from here.
      over.abort();
      lease.release();
    }
  }

  /** Best effort: what cannot be aborted now is garbage that `abandon` finds by its key. */
  async #abortAll(uploads: readonly Multipart[]): Promise<void> {
    await Promise.all(
      uploads.map((upload) =>
        this.#calls.abortMultipart(upload, PARTING).catch((error: unknown) => {
          if (!(error instanceof StoreUnavailable)) throw error;
        }),
      ),
    );
  }
}

const NO_CREDENTIALS =
  'no credentials for S3 were found: set S3_ACCESS_KEY and S3_SECRET_KEY, give this machine or container a role, ' +
  'or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';

const BUCKET_ADVICE: Partial<Record<number, string>> = {
  301: 'it is in another region than S3_REGION',
  400: 'see whether S3_REGION and S3_ACCESS_KEY are right',
  403: 'see whether S3_ACCESS_KEY and S3_SECRET_KEY are right and may list the bucket',
  407: 'the proxy wants a name and a password: put them into HTTP_PROXY or HTTPS_PROXY',
  404: 'make it, or set S3_BUCKET to one that exists',
};

function s3StateOf(state: WriterState | null): S3State {
  if (state === null) return emptyState();
  if (state.driver !== 's3') throw new UploadLost('the upload was begun in another kind of store');
  return state;
}

function sizeOf({ parts, tail }: S3State): number {
  return partsSize(parts) + (tail?.size ?? 0);
}
