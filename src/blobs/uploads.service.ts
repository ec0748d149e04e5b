import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/config.js';
import type { RepositoryFact } from '../http/request-context.js';
import { TALLIES } from '../http/tallies.js';
import { type ByteRange, parseChunkRange, rangeLength } from '../oci/content-range.js';
import { type Algorithm, algorithmOf, type Digest, parseDigest } from '../oci/digest.js';
import { OciError } from '../oci/oci-error.js';
import { matches, UploadCloser } from './upload-closer.service.js';
import { UploadEndService } from './upload-end.service.js';
import { HEAD_BYTES, UploadRows } from './upload-rows.service.js';
import {
  type IncomingBody,
  keyOf,
  outOfOrder,
  type Uploader,
  type UploadPosition,
  type UploadSession,
} from './upload-session.js';
import { type Chunk, UploadWriter } from './upload-writer.service.js';
import type { NewUpload, UploadRow } from './uploads.repository.js';

/** The upload's protocol: which request may do what, in which order. */
@Injectable()
export class UploadsService {
  private readonly expirySeconds: number;

  constructor(
    private readonly uploads: UploadRows,
    private readonly writer: UploadWriter,
    private readonly closer: UploadCloser,
    private readonly ends: UploadEndService,
    { storage }: AppConfig,
  ) {
    this.expirySeconds = storage.uploadExpirySeconds;
  }

  /** `id` is one that nobody else can have. */
  async start(
    repository: RepositoryFact,
    uploader: Uploader,
    algorithm: Algorithm,
    id: string = randomUUID(),
  ): Promise<UploadPosition> {
    await this.uploads.start(this.rowOf({ id, repository, uploader }, algorithm));
    TALLIES.streamedUploads.add('started');
    return { name: repository.path, id, received: 0 };
  }

  /** A blob in one request. Nothing is left when it fails: the client never learned of the upload. */
  async storeAtOnce(
    repository: RepositoryFact,
    uploader: Uploader,
    digest: Digest,
    incoming: IncomingBody,
  ): Promise<void> {
    const session = { id: randomUUID(), repository, uploader };
    TALLIES.streamedUploads.add('started');
    const first = await incoming.body.readFirst(HEAD_BYTES);
    const epoch = 1;
    if (incoming.body.hasEnded) {
      // One that does not match never gets a row.
      if (!matches(first, digest)) {
        TALLIES.streamedUploads.add('failed');
        throw new OciError('digestMismatch', { digest });
      }
      await this.uploads.open({ ...this.rowOf(session, algorithmOf(digest)), epoch, durably: false });
      return this.closer.closeInMemory(session, epoch, first, digest);
    }
    await this.uploads.open({ ...this.rowOf(session, algorithmOf(digest)), epoch, durably: true });
    const row = { ...NOTHING_RECEIVED, id: session.id, epoch, algorithm: algorithmOf(digest) };
    try {
      await this.closer.closeWithBody(session, row, closingChunk(incoming, first, null, digest), digest);
    } catch (error) {
      await this.ends.end(session.id);
      throw error;
    }
  }

  /** Throws `uploadUnknown` for everything that cannot be gone on with. */
  async status(session: UploadSession): Promise<UploadPosition> {
    const position = await this.position(session);
    if (position.received > 0) TALLIES.streamedUploads.add('resumed');
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
    const first = await incoming.body.readFirst(HEAD_BYTES);
    const isWhole = incoming.body.hasEnded;
    await this.checkLength(session, range, isWhole ? first.length : incoming.body.declaredLength);
    if (isWhole && first.length === 0) return this.position(session);
    if (isWhole) {
      const received = await this.uploads.appendHead(key, first, offset);
      if (received !== null) return positionOf(session, received);
    }
    const row = await this.uploads.claim(key, offset, true);
    if (!row) throw await this.refusal(session, offset);
    const kind = range ? ({ kind: 'chunk' } as const) : ({ kind: 'stream' } as const);
    const written = await this.writer.write(row, chunkOf(incoming, kind, first, range));
    const isHeld = written !== null && (await this.writer.acknowledge(row, written, 'open'));
    if (!isHeld) throw await this.refusal(session, null);
    return positionOf(session, written.received);
  }

  /** The closing PUT. A digest that cannot be one ends the upload like one that is wrong. */
  async close(session: UploadSession, digestText: string, incoming: IncomingBody): Promise<Digest> {
    const digest = await this.digestFor(session, digestText);
    const range = rangeOf(incoming);
    const first = await incoming.body.readFirst(HEAD_BYTES);
    const isWhole = incoming.body.hasEnded;
    await this.checkLength(session, range, isWhole ? first.length : incoming.body.declaredLength);
    const offset = range?.start ?? null;
    if (isWhole && (await this.closeRecent(session, offset, first, digest))) return digest;
    const row = await this.uploads.claim(keyOf(session), offset, !isWhole);
    if (!row) await this.closeAgain(session, offset, digest);
    else if (isWhole && isInRow(row)) {
      await this.closer.closeInMemory(session, row.epoch, Buffer.concat([row.head ?? EMPTY, first]), digest);
    } else if (isWhole && first.length === 0) {
      await this.closer.closeStored(session, row, digest);
    } else {
      // The claim of a short body did not wait for the disk, and this one needs a name that survives.
      const claimed = isWhole ? await this.uploads.claim(keyOf(session), row.received, true) : row;
      if (!claimed) throw await this.refusal(session, row.received);
      await this.closer.closeWithBody(session, claimed, closingChunk(incoming, first, range, digest), digest);
    }
    return digest;
  }

  /** The bytes came to this node a moment ago. False for everything but success: then the row is asked. */
  private closeRecent(session: UploadSession, offset: number | null, last: Buffer, digest: Digest): Promise<boolean> {
    return this.uploads.lend(keyOf(session), async (head) => {
      if (offset !== null && offset !== head.bytes.length) return false;
      const bytes = last.length === 0 ? head.bytes : Buffer.concat([head.bytes, last]);
      return matches(bytes, digest) && this.closer.closeReserved(session, head.epoch, bytes, digest);
    });
  }

  /** A closing PUT that found nothing to claim: perhaps it is a repeated one. */
  private async closeAgain(session: UploadSession, offset: number | null, digest: Digest): Promise<void> {
    const row = await this.uploads.find(keyOf(session));
    if (row?.state === 'done' && row.digest === digest) return;
    const taken = row?.state === 'completing' ? await this.uploads.claimClosing(keyOf(session), digest) : null;
    if (!taken) throw await this.refusal(session, offset);
    await this.closer.closeAgain(session, taken, digest);
  }

  private async digestFor(session: UploadSession, text: string): Promise<Digest> {
    try {
      if (text === '') throw new OciError('digestMissing');
      return parseDigest(text);
    } catch (error) {
      await this.position(session);
      await this.ends.end(session.id);
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
    { id, repository, uploader: { principal, credential } }: UploadSession,
    algorithm: Algorithm,
  ): Omit<NewUpload, 'epoch' | 'durably'> {
    return { id, repoId: repository.id, principal, credential, algorithm, expirySeconds: this.expirySeconds };
  }
}

const EMPTY = Buffer.alloc(0);
const NOTHING_RECEIVED = {
  state: 'open',
  received: 0,
  writer: null,
  head: null,
  hashLibrary: null,
  hashState: null,
  digest: null,
} as const satisfies Partial<UploadRow>;

/** Whether the store has nothing of it yet. */
function isInRow({ received, head }: UploadRow): boolean {
  return received === (head?.length ?? 0);
}

function rangeOf({ contentRange }: IncomingBody): ByteRange | null {
  return contentRange === undefined ? null : parseChunkRange(contentRange);
}

function positionOf({ id, repository }: UploadSession, received: number): UploadPosition {
  return { name: repository.path, id, received };
}

function chunkOf({ body, signal }: IncomingBody, kind: Chunk['kind'], first: Buffer, range: ByteRange | null): Chunk {
  const isWhole = body.hasEnded;
  const bytes = isWhole ? first.length : range ? rangeLength(range) : body.declaredLength;
  return { kind, first, rest: isWhole ? null : body, bytes, signal };
}

function closingChunk(incoming: IncomingBody, first: Buffer, range: ByteRange | null, digest: Digest): Chunk {
  return chunkOf(incoming, { kind: 'closing', algorithm: algorithmOf(digest) }, first, range);
}
