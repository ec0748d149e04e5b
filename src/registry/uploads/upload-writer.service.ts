import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/config.js';
import type { Share } from '../../fairness/share.js';
import type { Digest } from '../../oci/digest.js';
import { type Appended, BlobStore } from '../../storage/blob-store.js';
import type { WriterState } from '../../storage/writer-state.js';
import { objectKeyOf } from '../../storage/object-keys.js';
import { TooManyChunks } from '../../storage/storage-errors.js';
import { beginHash, type BodyHash } from '../hashing/body-hash.js';
import { type BodyKind, planHash } from '../hashing/hash-plan.js';
import { HashWorkers } from '../hashing/hash-workers.js';
import { endsUpload, uploadFailure } from './upload-failures.js';
import { UploadEndService } from './upload-end.service.js';
import { UploadHeartbeat } from './upload-heartbeat.service.js';
import { type UploadHash, type UploadRow, UploadsRepository } from './uploads.repository.js';
import { OVER_LIMIT } from '../../http/limit-counts.js';
import { ACTIVE_UPLOADS, STREAMED_UPLOADS } from './upload-counts.js';

/** The bytes of one request. */
export interface Chunk {
  readonly kind: BodyKind;
  /** What has been read of it. */
  readonly first: Buffer;
  /** What comes after that; `null` when that was all. */
  readonly rest: AsyncIterable<Buffer> | null;
  /** Its length when it is known, else `null`. */
  readonly bytes: number | null;
  readonly signal: AbortSignal;
  readonly share: Share;
}

/** Bytes that are durable in the store; they count once `UploadsRepository.record` has said so. */
export interface Written extends UploadHash {
  readonly received: number;
  readonly writer: WriterState | null;
  readonly appended: Appended;
}

/** Streams bodies to the store, hashing them as they pass. No database connection is held meanwhile. */
@Injectable()
export class UploadWriter {
  private readonly expirySeconds: number;

  constructor(
    private readonly uploads: UploadsRepository,
    private readonly store: BlobStore,
    private readonly workers: HashWorkers,
    private readonly ends: UploadEndService,
    private readonly heartbeat: UploadHeartbeat,
    { storage }: AppConfig,
  ) {
    this.expirySeconds = storage.uploadExpirySeconds;
  }

  /**
   * Writes after the acknowledged bytes of an upload that the caller has claimed durably; `null` when another request
   * has taken the upload over meanwhile.
   */
  async write(row: UploadRow, chunk: Chunk): Promise<Written | null> {
    const inline = row.inline ?? EMPTY;
    const offset = row.inline ? 0 : row.received;
    const bytes = chunk.bytes === null ? null : inline.length + chunk.bytes;
    const hash = beginHash(planHash(row, chunk.kind), bytes, this.workers);
    ACTIVE_UPLOADS.add('streamed');
    try {
      const target = { key: objectKeyOf(row.id), epoch: row.epoch };
      const body = hashed(hash, [inline, chunk.first], chunk.rest);
      const options = {
        offset,
        expectedBytes: bytes,
        signal: chunk.signal,
        share: chunk.share,
        persist: (writer: WriterState) => this.persist(row, writer),
        sha256: () => hash.sha256(),
      };
      const appended = await this.heartbeat.during(row.id, row.epoch, () =>
        this.store.append(target, row.writer, body, options),
      );
      const hashOfAll = await hash.finish();
      return { ...hashOfAll, received: offset + appended.bytes, writer: appended.state, appended };
    } catch (error) {
      hash.discard();
      if (error instanceof EpochLost) return null;
      if (error instanceof TooManyChunks) OVER_LIMIT.add('chunks');
      if (endsUpload(error)) {
        // What it had to read may have been replaced by the request that has taken the upload over.
        if (!(await this.ends.endAfter(error, row.id, row.epoch))) return null;
      } else {
        STREAMED_UPLOADS.add('interrupted');
        if (row.received === 0) await this.heartbeat.cutOff(row.id, row.epoch);
      }
      throw uploadFailure(error);
    } finally {
      ACTIVE_UPLOADS.add('streamed', -1);
    }
  }

  /**
   * Makes the bytes count, as the last ones of the `closing` digest or for others to follow; false when another request
   * has taken the upload over, and then they are removed.
   */
  async acknowledge(
    row: UploadRow,
    written: Written,
    state: 'open' | 'completing',
    closing: Digest | null,
  ): Promise<boolean> {
    const { appended, ...progress } = written;
    const isHeld = await this.uploads.record(row.id, row.epoch, {
      ...progress,
      state,
      closing,
      expirySeconds: this.expirySeconds,
    });
    const unused = isHeld ? appended.obsolete : appended.created;
    if (unused.length > 0) await this.ends.discard(unused);
    return isHeld;
  }

  private async persist(row: UploadRow, writer: WriterState): Promise<void> {
    if (!(await this.uploads.persist(row.id, row.epoch, writer)))
      throw new EpochLost('another request has taken the upload over');
  }
}

/** Stops a writer whose epoch is no longer the upload's last one; it does not leave this file. */
class EpochLost extends Error {
  override readonly name = 'EpochLost';
}

const EMPTY = Buffer.alloc(0);

async function* hashed(
  hash: BodyHash,
  first: readonly Buffer[],
  rest: AsyncIterable<Buffer> | null,
): AsyncGenerator<Buffer, void, undefined> {
  for (const chunk of first) {
    if (chunk.length === 0) continue;
    await hash.update(chunk);
    yield chunk;
  }
  if (!rest) return;
  for await (const chunk of rest) {
    const wait = hash.update(chunk);
    if (wait) await wait;
    yield chunk;
  }
}
