import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/config.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { type ByteRange, parseChunkRange, rangeLength } from '../../oci/content-range.js';
import { type Algorithm, algorithmOf, type Digest, parseDigest } from '../../oci/digest.js';
import { OciError } from '../../oci/oci-error.js';
import { chunkOf, closingChunk, ClosingRequests } from './closing/closing-requests.service.js';
import { matches, UploadCloser } from './upload-closer.service.js';
import { UploadEndService } from './upload-end.service.js';
import { FIRST_EPOCH } from './upload-epochs.js';
import { INLINE_LIMIT, UploadStore } from './upload-store.service.js';
import { type IncomingBody, keyOf, outOfOrder, type UploadPosition, type UploadSession } from './upload-session.js';
import { UploadWriter } from './upload-writer.service.js';
import type { NewUpload, UploadRow } from './uploads.repository.js';
import { STREAMED_UPLOADS } from './upload-counts.js';

/** The upload's protocol: which request may do what, in which order. */
@Injectable()
export class UploadsService {
  private readonly expirySeconds: number;

  constructor(
    private readonly uploads: UploadStore,
    private readonly writer: UploadWriter,
    private readonly closer: UploadCloser,
    private readonly closing: ClosingRequests,
    private readonly ends: UploadEndService,
    { storage }: AppConfig,
  ) {
    this.expirySeconds = storage.uploadExpirySeconds;
  }

  /** `id` must be unique. */
  async start(
    repository: RepositoryFact,
    uploader: UploadSession['uploader'],
    algorithm: Algorithm,
    id: string = randomUUID(),
  ): Promise<UploadPosition> {
    const { expirySeconds: _, ...row } = this.rowOf({ id, repository, uploader }, algorithm);
    await this.uploads.start(row);
    STREAMED_UPLOADS.add('started');
    return { name: repository.path, id, received: 0 };
  }

  /** A blob in one request. Nothing is left when it fails: the client never learned of the upload. */
  async storeAtOnce(target: Omit<UploadSession, 'id'>, digest: Digest, incoming: IncomingBody): Promise<void> {
    const session = { ...target, id: randomUUID() };
    STREAMED_UPLOADS.add('started');
    const first = await incoming.body.readFirst(INLINE_LIMIT, incoming.signal);
    const epoch = FIRST_EPOCH.claimed;
    if (incoming.body.hasEnded) {
      // One that does not match never gets a row.
      if (!matches(first, digest)) {
        STREAMED_UPLOADS.add('failed');
        throw new OciError('digestMismatch', { digest });
      }
      await this.uploads.open({ ...this.rowOf(session, algorithmOf(digest)), epoch, durably: false });
      if (!(await this.closer.put(session, epoch, first, digest))) throw new OciError('uploadUnknown');
      return;
    }
    await this.uploads.open({ ...this.rowOf(session, algorithmOf(digest)), epoch, durably: true });
    const row = { ...NOTHING_RECEIVED, id: session.id, epoch, algorithm: algorithmOf(digest) };
    try {
      const chunk = closingChunk({ incoming, first, range: null, digest });
      if (!(await this.closer.append(session, row, chunk, digest))) throw new OciError('uploadUnknown');
    } catch (error) {
      await this.ends.end(session.id);
      throw error;
    }
  }

  /** Throws `uploadUnknown` for everything that cannot be gone on with. */
  async status(session: UploadSession): Promise<UploadPosition> {
    const position = await this.position(session);
    if (position.received > 0) STREAMED_UPLOADS.add('resumed');
    return position;
  }

  async cancel(session: UploadSession): Promise<void> {
    await this.position(session);
    if (!(await this.ends.end(session.id, null, 'cancelled'))) throw new OciError('uploadUnknown');
  }

  /** One PATCH: a chunk with a Content-Range, or a stream that goes on where the upload is. */
  async append(session: UploadSession, incoming: IncomingBody): Promise<UploadPosition> {
    const key = keyOf(session);
    const range = rangeOf(incoming);
    const offset = range?.start ?? null;
    const first = await incoming.body.readFirst(INLINE_LIMIT, incoming.signal);
    const isWhole = incoming.body.hasEnded;
    await this.checkLength(session, range, isWhole ? first.length : incoming.body.declaredLength);
    if (isWhole && first.length === 0) return this.position(session);
    if (isWhole) {
      const received = await this.uploads.appendInline(key, first, offset);
      if (received !== null) return positionOf(session, received);
    }
    const row = await this.uploads.claim(key, offset, true);
    if (!row) throw await this.refusal(session, offset);
    const kind = range ? ({ kind: 'chunk' } as const) : ({ kind: 'stream' } as const);
    const written = await this.writer.write(row, chunkOf(incoming, kind, first, range));
    const isHeld = written !== null && (await this.writer.acknowledge(row, written, 'open', null));
    if (!isHeld) throw await this.refusal(session, null);
    return positionOf(session, written.received);
  }

  /** The closing PUT. A digest that cannot be one ends the upload like one that is wrong. */
  async close(session: UploadSession, digestText: string, incoming: IncomingBody): Promise<Digest> {
    const digest = await this.digestFor(session, digestText);
    const range = rangeOf(incoming);
    const first = await incoming.body.readFirst(INLINE_LIMIT, incoming.signal);
    await this.checkLength(session, range, incoming.body.hasEnded ? first.length : incoming.body.declaredLength);
    await this.closing.close({ session, digest, range, first, incoming });
    return digest;
  }

  private async digestFor(session: UploadSession, text: string): Promise<Digest> {
    try {
      if (text === '') throw new OciError('digestMissing');
      return parseDigest(text);
    } catch (error) {
      await this.position(session);
      await this.ends.endUnlessClosing(session.id);
      throw error;
    }
  }

  private async position(session: UploadSession): Promise<UploadPosition> {
    const row = await this.uploads.find(keyOf(session));
    if (row?.state !== 'open' && row?.state !== 'completing') throw new OciError('uploadUnknown');
    return positionOf(session, row.received);
  }

  /** A body that cannot be what its range says changes nothing: none of it is written. */
  private async checkLength(session: UploadSession, range: ByteRange | null, bytes: number | null): Promise<void> {
    if (!range || bytes === null || bytes === rangeLength(range)) return;
    const { received } = await this.position(session);
    if (received !== range.start) throw outOfOrder(positionOf(session, received));
    throw new OciError('sizeInvalid', { announced: rangeLength(range), length: bytes });
  }

  /** Why a claim for this offset found nothing, or was lost (`null`). */
  private async refusal(session: UploadSession, offset: number | null): Promise<OciError> {
    const row = await this.uploads.find(keyOf(session));
    if (row?.state === 'completing') return new OciError('uploadInvalid', { reason: 'the upload is being closed' });
    if (row?.state !== 'open') return new OciError('uploadUnknown');
    if (offset !== null && row.received === offset) return new OciError('storeBusy');
    return outOfOrder(positionOf(session, row.received));
  }

  private rowOf(
    { id, repository, uploader: { principal, credential } }: Omit<UploadSession, 'authorization'>,
    algorithm: Algorithm,
  ): Omit<NewUpload, 'epoch' | 'durably'> {
    return { id, repoId: repository.id, principal, credential, algorithm, expirySeconds: this.expirySeconds };
  }
}

const NOTHING_RECEIVED = {
  state: 'open',
  received: 0,
  writer: null,
  inline: null,
  hashLibrary: null,
  hashState: null,
  digest: null,
} as const satisfies Partial<UploadRow>;

function rangeOf({ contentRange }: IncomingBody): ByteRange | null {
  return contentRange === undefined ? null : parseChunkRange(contentRange);
}

function positionOf({ id, repository }: UploadSession, received: number): UploadPosition {
  return { name: repository.path, id, received };
}
