import { hash as hashAtOnce, createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Algorithm, algorithmOf, type Digest, digestFrom, hexOf } from '../oci/digest.js';
import { OciError } from '../oci/oci-error.js';
import { BlobStore, type Completed } from '../storage/blob-store.js';
import { type ObjectKey, objectKeyOf } from '../storage/object-keys.js';
import { releaseMemory } from '../storage/release-memory.js';
import { UploadCommit } from './upload-commit.service.js';
import { UploadEndService } from './upload-end.service.js';
import { endsUpload, uploadFailure } from './upload-failures.js';
import { UploadHold } from './upload-hold.service.js';
import { outOfOrder, type UploadSession } from './upload-session.js';
import { type Chunk, UploadWriter, type Written } from './upload-writer.service.js';
import { type UploadRow, UploadsRepository } from './uploads.repository.js';

/** Turns an upload that the caller has claimed into a blob, or ends it. */
@Injectable()
export class UploadCloser {
  constructor(
    private readonly uploads: UploadsRepository,
    private readonly store: BlobStore,
    private readonly writer: UploadWriter,
    private readonly commits: UploadCommit,
    private readonly ends: UploadEndService,
    private readonly hold: UploadHold,
  ) {}

  /** All bytes are in memory, few as they are: the store is met once, by one whole object. */
  async closeInMemory(session: UploadSession, epoch: number, bytes: Buffer, digest: Digest): Promise<void> {
    const { id } = session;
    if (!matches(bytes, digest)) return this.mismatch(session, epoch, digest);
    const key = await this.put(id, epoch, bytes, digest);
    const isCommitted = await this.commit(session, epoch, { key, obsolete: [] }, bytes.length, digest);
    if (isCommitted) return;
    await this.ends.discard([key]);
    await this.lose(session, digest);
  }

  /**
   * The same of bytes that no statement has just claimed: the epoch before the upload's last one is free for them.
   * False when the upload has been touched since, and then nothing has changed.
   */
  async closeReserved(session: UploadSession, epoch: number, bytes: Buffer, digest: Digest): Promise<boolean> {
    const key = await this.put(session.id, epoch - 1, bytes, digest);
    if (await this.commit(session, epoch, { key, obsolete: [] }, bytes.length, digest)) return true;
    await this.ends.discard([key]);
    return false;
  }

  /** A last body that is streamed after the claimed bytes. */
  async closeWithBody(session: UploadSession, row: UploadRow, chunk: Chunk, digest: Digest): Promise<void> {
    const written = await this.writer.write(row, chunk);
    if (!written) return this.lose(session, digest);
    if (isKnownToDiffer(written, digest)) return this.mismatch(session, row.epoch, digest);
    await this.closeWritten(session, row, written, digest);
  }

  /** Everything has been acknowledged before. */
  async closeStored(session: UploadSession, row: UploadRow, digest: Digest): Promise<void> {
    if (isKnownToDiffer(row, digest)) return this.mismatch(session, row.epoch, digest);
    const appended = { state: row.writer, bytes: 0, created: [], obsolete: [] };
    await this.closeWritten(session, row, { ...row, appended }, digest);
  }

  /** A closing request that had come this far is repeated: its digest was found right then. */
  async closeAgain(session: UploadSession, row: UploadRow, digest: Digest): Promise<void> {
    await this.finish(session, row, row, digest);
  }

  private async closeWritten(session: UploadSession, row: UploadRow, written: Written, digest: Digest): Promise<void> {
    // Bytes whose digest nobody has computed stay an open upload until they have been read.
    const isVerified = written.digest === digest;
    const state = isVerified ? 'completing' : 'open';
    if (!(await this.writer.acknowledge(row, written, state))) return this.lose(session, digest);
    await this.finish(session, row, written, digest, !isVerified);
  }

  private finish(
    session: UploadSession,
    row: UploadRow,
    { writer, received }: Pick<UploadRow, 'writer' | 'received'>,
    digest: Digest,
    mustRead = false,
  ): Promise<void> {
    const { id, epoch } = row;
    const work = async (): Promise<void> => {
      const completed = await this.guarded(id, epoch, () =>
        this.store.complete({ key: objectKeyOf(id), epoch }, writer),
      );
      if (mustRead && (await this.readDigest(completed, algorithmOf(digest))) !== digest)
        return this.mismatch(session, epoch, digest);
      if (!(await this.commit(session, epoch, completed, received, digest))) await this.lose(session, digest);
    };
    return this.hold.during(id, epoch, work);
  }

  private put(id: string, epoch: number, bytes: Buffer, digest: Digest): Promise<ObjectKey> {
    const sha256 = algorithmOf(digest) === 'sha256' ? hexOf(digest) : undefined;
    return this.guarded(id, epoch, () => this.store.put({ key: objectKeyOf(id), epoch }, bytes, sha256));
  }

  private async commit(
    { id, repository }: UploadSession,
    epoch: number,
    { key, obsolete }: Completed,
    size: number,
    digest: Digest,
  ): Promise<boolean> {
    const isCommitted = await this.commits.commit({ id, epoch, repository, digest, size, key });
    if (isCommitted) await this.ends.discard(obsolete);
    return isCommitted;
  }

  /** The stored bytes once more: the closing digest is of an algorithm that nobody computed while they came. */
  private async readDigest({ key }: Completed, algorithm: Algorithm): Promise<Digest> {
    const hash = createHash(algorithm);
    for await (const chunk of await this.store.open(key)) {
      hash.update(chunk as Buffer);
      releaseMemory(chunk as Buffer);
    }
    return digestFrom(algorithm, hash.digest());
  }

  private async mismatch({ id }: UploadSession, epoch: number, digest: Digest): Promise<never> {
    await this.ends.end(id, epoch);
    throw new OciError('digestMismatch', { digest });
  }

  /** Another request has taken the upload over. If it has made the same blob of it, both are right. */
  private async lose(session: UploadSession, digest: Digest): Promise<void> {
    const { id, repository, uploader } = session;
    const row = await this.uploads.find({ id, repoId: repository.id, principal: uploader.principal });
    if (row?.state === 'done' && row.digest === digest) return;
    if (row?.state !== 'open') throw new OciError(row?.state === 'completing' ? 'uploadInvalid' : 'uploadUnknown');
    throw outOfOrder({ name: repository.path, id, received: row.received });
  }

  private async guarded<T>(id: string, epoch: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (endsUpload(error)) await this.ends.end(id, epoch);
      throw uploadFailure(error);
    }
  }
}

export function matches(bytes: Buffer, digest: Digest): boolean {
  return hashAtOnce(algorithmOf(digest), bytes, 'hex') === hexOf(digest);
}

/** A digest of the other algorithm says nothing; the bytes have to be read. */
function isKnownToDiffer({ digest: known }: Pick<UploadRow, 'digest'>, digest: Digest): boolean {
  return known !== null && algorithmOf(known) === algorithmOf(digest) && known !== digest;
}
