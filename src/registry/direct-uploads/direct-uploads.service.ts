import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/config.js';
import { ApiError } from '../../http/errors/api-error.js';
import { DIRECT_UPLOADS } from '../uploads/upload-counts.js';
import { hexOf } from '../../oci/digest.js';
import { BlobStore } from '../../storage/blob-store.js';
import type { StoredPart } from '../../storage/writer-state.js';
import type { DirectUploads, SignedRequest } from '../../storage/direct-uploads.js';
import { DirectUploadEnd } from './direct-upload-end.service.js';
import { type FailureReason, failureError } from './direct-failures.js';
import { isInParts, partSize, partSizesOf, putKeyOf, urlSeconds } from './direct-objects.js';
import { DirectUploadsRepository, type DirectUploadRow } from './direct-uploads.repository.js';
import { UploadCommit } from '../uploads/upload-commit.service.js';
import { keyOf, type UploadSession } from '../uploads/upload-session.js';
import { UploadVerifier } from './upload-verifier.js';

/** A part that a client is about to send. */
export interface AnnouncedPart {
  readonly number: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

export interface SignedPart extends SignedRequest {
  readonly number: number;
}

/** Part numbers that a refusal names. */
const SHOWN = 10;

/** What may be done with a direct upload, and when its bytes are believed. */
@Injectable()
export class DirectUploadsService {
  private readonly expirySeconds: number;

  constructor(
    private readonly uploads: DirectUploadsRepository,
    private readonly store: BlobStore,
    private readonly commits: UploadCommit,
    private readonly verifier: UploadVerifier,
    private readonly ends: DirectUploadEnd,
    { storage }: AppConfig,
  ) {
    this.expirySeconds = storage.uploadExpirySeconds;
  }

  /** Throws `notFound`, also for principals other than the one that opened it. */
  async find(session: UploadSession): Promise<DirectUploadRow> {
    const row = await this.uploads.find(keyOf(session));
    if (!row) throw new ApiError('notFound');
    return row;
  }

  /** Requests that the client may send for these parts, in their order. Throws `conflict` or `impossible`. */
  async signParts(session: UploadSession, parts: readonly AnnouncedPart[]): Promise<SignedPart[]> {
    // First prolonged, then signed: no URL outlives the row that finds what is written with it.
    const row = (await this.uploads.prolong(keyOf(session), this.expirySeconds)) ?? (await this.find(session));
    const { direct: plan, writer } = row;
    if (row.state !== 'direct') throw new ApiError('conflict', 'the upload takes no more bytes');
    if (!isInParts(plan) || !writer) throw new ApiError('conflict', 'the upload is one PUT and has no parts');
    for (const { number, size } of parts) {
      const expected = partSize(plan, number);
      const { count } = partSizesOf(plan);
      if (expected === null) throw new ApiError('impossible', `the upload has parts 1 to ${String(count)}`);
      if (size !== expected) throw new ApiError('impossible', `part ${String(number)} has ${String(expected)} bytes`);
    }
    const direct = this.direct();
    const ttlSeconds = urlSeconds(this.expirySeconds);
    const sign = async ({ number, sha256, size }: AnnouncedPart): Promise<SignedPart> => {
      const signed = await direct.signPart(writer, number, { size, sha256Hex: sha256, ttlSeconds });
      return { number, ...signed };
    };
    return Promise.all(parts.map(sign));
  }

  /**
   * The client says that all bytes are there. Gives the upload as it is then: `done`, or `verifying` while a node has to
   * read it. Repeated it gives the same, as long as the row lives. Throws `uploadIncomplete`, or why it has failed.
   */
  async complete(session: UploadSession): Promise<DirectUploadRow> {
    const row = await this.find(session);
    if (row.state === 'direct') await (isInParts(row.direct) ? this.join(session, row) : this.check(session, row));
    const now = row.state === 'direct' ? await this.find(session) : row;
    if (now.state === 'failed') throw failureError(now.reason ?? 'bytesLost');
    if (now.state === 'verifying') void this.verifier.wake();
    return now;
  }

  /** Throws `notFound` when there is nothing to cancel. */
  async cancel(session: UploadSession): Promise<void> {
    const row = await this.uploads.cancel(keyOf(session));
    if (!row) throw new ApiError('notFound');
    DIRECT_UPLOADS.add('cancelled');
    await this.ends.remove(row);
  }

  /** One PUT: the store refuses other bytes than were signed, and says itself what it has. */
  private async check(session: UploadSession, row: DirectUploadRow): Promise<void> {
    const { id, epoch, digest, direct: plan } = row;
    const { repository, uploader, authorization } = session;
    const key = putKeyOf(id);
    const object = await this.direct().verified(key);
    if (!object) return this.incomplete(session, 'the PUT has not arrived');
    if (object.size !== plan.size) return this.fail(row, 'sizeMismatch');
    if (object.sha256Hex === null) return this.read(session, row);
    if (object.sha256Hex !== hexOf(digest)) return this.fail(row, 'digestMismatch');
    const actor = { ...uploader, address: plan.address };
    await this.commits.commit({ id, epoch, repository, authorization, digest, size: plan.size, key, actor });
  }

  /** Parts: the store proves each, and nothing of the whole. It is joined and read by whichever node has room. */
  private async join(session: UploadSession, row: DirectUploadRow): Promise<void> {
    const { direct: plan, writer } = row;
    if (!isInParts(plan) || !writer) return this.fail(row, 'bytesLost');
    const found = await this.direct().parts(writer);
    if (!found) {
      const { state } = await this.find(session); // another request may have been faster
      if (state === 'direct') await this.fail(row, 'bytesLost');
      return;
    }
    const parts = new Map(found.map((part) => [part.number, part]));
    const whole: StoredPart[] = [];
    const missing: number[] = [];
    for (let number = 1; number <= partSizesOf(plan).count; number++) {
      const part = parts.get(number);
      if (part?.size === partSize(plan, number)) whole.push(part);
      else missing.push(number);
    }
    if (missing.length > 0) {
      const [shown, more] = [missing.slice(0, SHOWN).join(', '), missing.length > SHOWN ? ' and more' : ''];
      return this.incomplete(session, `missing: part ${shown}${more}`);
    }
    await this.read(session, { ...row, writer: this.direct().withParts(writer, whole) });
  }

  /** The store has no bytes, or none any more: another request may have been faster, and a node put them elsewhere. */
  private async incomplete(session: UploadSession, detail: string): Promise<void> {
    const { state } = await this.find(session);
    if (state === 'direct') throw new ApiError('uploadIncomplete', detail);
  }

  private async read(session: UploadSession, { writer }: DirectUploadRow): Promise<void> {
    await this.uploads.awaitVerification(keyOf(session), writer, this.expirySeconds);
  }

  private async fail(row: DirectUploadRow, reason: FailureReason): Promise<void> {
    await this.ends.fail(row, reason);
  }

  private direct(): DirectUploads {
    const { direct } = this.store;
    if (!direct) throw new ApiError('directUploadsUnavailable', 'blobs are kept on the registry’s own disk');
    return direct;
  }
}
