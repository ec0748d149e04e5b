import { hash as hashAtOnce, createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Algorithm, algorithmOf, type Digest, digestFrom, hexOf } from '../../oci/digest.js';
import { OciError } from '../../oci/oci-error.js';
import { BlobStore, type Completed } from '../../storage/blob-store.js';
import { type ObjectKey, objectKeyOf } from '../../storage/object-keys.js';
import { releaseMemory } from '../../fairness/release-memory.js';
import { ObjectNotFound, UploadLost } from '../../storage/storage-errors.js';
import { BlobCompactor } from './compaction/blob-compactor.service.js';
import { UploadCommit } from './upload-commit.service.js';
import { UploadEndService } from './upload-end.service.js';
import { endsUpload, uploadFailure } from './upload-failures.js';
import { UploadHeartbeat } from './upload-heartbeat.service.js';
import type { UploadSession } from './upload-session.js';
import { type Chunk, UploadWriter, type Written } from './upload-writer.service.js';
import type { UploadRow } from './uploads.repository.js';

/** Turns an upload that the caller has claimed into a blob, or ends it. False: another request has taken it over. */
@Injectable()
export class UploadCloser {
  constructor(
    private readonly store: BlobStore,
    private readonly writer: UploadWriter,
    private readonly commits: UploadCommit,
    private readonly ends: UploadEndService,
    private readonly heartbeat: UploadHeartbeat,
    private readonly compactor: BlobCompactor,
  ) {}

  /**
   * `bytes` are all, and match the digest: the store gets one whole object. `epoch` is the upload's last one, and names the
   * object unless that is one which was reserved for it. False when the upload has moved on, and then nothing has changed.
   */
  async put(
    session: UploadSession,
    epoch: number,
    bytes: Buffer,
    digest: Digest,
    objectEpoch: number = epoch,
  ): Promise<boolean> {
    const key = await this.putObject(session.id, objectEpoch, bytes, digest);
    const isCommitted = await this.commit(session, epoch, wholeAt(key), bytes.length, digest);
    if (!isCommitted) await this.ends.discard([key]);
    return isCommitted;
  }

  /** A last body that is streamed after the claimed bytes. */
  async append(session: UploadSession, row: UploadRow, chunk: Chunk, digest: Digest): Promise<boolean> {
    const written = await this.writer.write(row, chunk);
    if (!written) return false;
    if (isKnownToDiffer(written, digest)) return this.mismatch(session, row.epoch, digest);
    return this.closeWritten(session, row, written, digest);
  }

  /** Everything has been acknowledged before. */
  async complete(session: UploadSession, row: UploadRow, digest: Digest): Promise<boolean> {
    if (isKnownToDiffer(row, digest)) return this.mismatch(session, row.epoch, digest);
    const appended = { state: row.writer, bytes: 0, created: [], obsolete: [] };
    return this.closeWritten(session, row, { ...row, appended }, digest);
  }

  /** A closing request that had brought all bytes is repeated; while the upload is open, they are not verified. */
  completeAgain(session: UploadSession, row: UploadRow, digest: Digest): Promise<boolean> {
    return this.finish(session, row, row, digest, row.state === 'open');
  }

  /** Ends the upload, unless another request has taken it over, and throws `digestMismatch`. */
  async mismatch({ id }: UploadSession, epoch: number, digest: Digest): Promise<never> {
    await this.ends.end(id, epoch);
    throw new OciError('digestMismatch', { digest });
  }

  private async closeWritten(
    session: UploadSession,
    row: UploadRow,
    written: Written,
    digest: Digest,
  ): Promise<boolean> {
    // Bytes without a computed digest stay an open upload until they have been read.
    const isVerified = written.digest === digest;
    const state = isVerified ? 'completing' : 'open';
    if (!(await this.writer.acknowledge(row, written, state, digest))) return false;
    return this.finish(session, row, written, digest, !isVerified);
  }

  private finish(
    session: UploadSession,
    row: UploadRow,
    { writer, received }: Pick<UploadRow, 'writer' | 'received'>,
    digest: Digest,
    mustRead: boolean,
  ): Promise<boolean> {
    const { id, epoch } = row;
    const work = async (): Promise<boolean> => {
      const completed = await this.store.complete({ key: objectKeyOf(id), epoch }, writer);
      if (mustRead && (await this.readDigest(completed, algorithmOf(digest))) !== digest)
        return this.mismatch(session, epoch, digest);
      return this.commit(session, epoch, completed, received, digest);
    };
    const failed = async (error: unknown): Promise<boolean> => {
      // Bytes that are gone may have gone with the upload's end, or with the blob that another request made of it.
      if (endsUpload(error) && !(await this.ends.endAfter(error, id, epoch))) return false;
      throw uploadFailure(error);
    };
    return this.heartbeat.whileClosing(id, epoch, () => work().catch(failed));
  }

  private async putObject(id: string, epoch: number, bytes: Buffer, digest: Digest): Promise<ObjectKey> {
    const sha256 = algorithmOf(digest) === 'sha256' ? hexOf(digest) : undefined;
    try {
      return await this.store.put({ key: objectKeyOf(id), epoch }, bytes, sha256);
    } catch (error) {
      if (endsUpload(error)) await this.ends.endAfter(error, id, epoch);
      throw uploadFailure(error);
    }
  }

  private async commit(
    { id, repository, authorization }: UploadSession,
    epoch: number,
    { key, isSplit, obsolete }: Completed,
    size: number,
    digest: Digest,
  ): Promise<boolean> {
    const isCommitted = await this.commits.commit({ id, epoch, repository, authorization, digest, size, key, isSplit });
    if (isCommitted && obsolete.length > 0) await this.ends.discard(obsolete);
    if (isCommitted && isSplit) void this.compactor.wake();
    return isCommitted;
  }

  /** The stored bytes once more: the closing digest's algorithm was not computed while they came. */
  private async readDigest({ key }: Completed, algorithm: Algorithm): Promise<Digest> {
    const hash = createHash(algorithm);
    try {
      for await (const chunk of await this.store.open(key)) {
        hash.update(chunk as Buffer);
        releaseMemory(chunk as Buffer);
      }
    } catch (error) {
      throw error instanceof ObjectNotFound ? new UploadLost('the object is gone', { cause: error }) : error;
    }
    return digestFrom(algorithm, hash.digest());
  }
}

export function matches(bytes: Buffer, digest: Digest): boolean {
  return hashAtOnce(algorithmOf(digest), bytes, 'hex') === hexOf(digest);
}

function wholeAt(key: ObjectKey): Completed {
  return { key, isSplit: false, obsolete: [] };
}

/** A digest of the other algorithm says nothing; the bytes have to be read. */
function isKnownToDiffer({ digest: known }: Pick<UploadRow, 'digest'>, digest: Digest): boolean {
  return known !== null && algorithmOf(known) === algorithmOf(digest) && known !== digest;
}
