import { Injectable } from '@nestjs/common';
import { type ByteRange, rangeLength } from '../../../oci/content-range.js';
import { algorithmOf, type Digest } from '../../../oci/digest.js';
import { matches, UploadCloser } from '../upload-closer.service.js';
import { UploadStore } from '../upload-store.service.js';
import { type IncomingBody, keyOf, type UploadSession } from '../upload-session.js';
import type { Chunk } from '../upload-writer.service.js';
import type { UploadRow } from '../uploads.repository.js';
import { ClosingWait, type Waiting, waitingOf } from './closing-wait.service.js';

/** A closing request whose digest is one, and as much of its body as was read to see whether that is all. */
export interface ClosingRequest {
  readonly session: UploadSession;
  readonly digest: Digest;
  readonly range: ByteRange | null;
  readonly first: Buffer;
  readonly incoming: IncomingBody;
}

/** Closing requests of one upload: of equal ones, at any distance and at any node, one makes the blob for all. */
@Injectable()
export class ClosingRequests {
  constructor(
    private readonly uploads: UploadStore,
    private readonly closer: UploadCloser,
    private readonly wait: ClosingWait,
  ) {}

  /** Returns once the repository holds the blob. */
  async close(request: ClosingRequest): Promise<void> {
    const { incoming, range } = request;
    const isWhole = incoming.body.hasEnded;
    if (isWhole && (await this.closeRecent(request))) return;
    const offset = range?.start ?? null;
    const row = await this.claim(request, offset, isWhole);
    if (row && (await this.closeClaimed(request, row, isWhole))) return;
    await this.goOn(request, row, isWhole);
    if (!isWhole) incoming.body.discard();
  }

  /** The bytes came to this node a moment ago. False for everything but success: then the row is asked. */
  private closeRecent({ session, digest, range, first: last }: ClosingRequest): Promise<boolean> {
    const offset = range?.start ?? null;
    return this.uploads.lend(keyOf(session), async (head) => {
      if (offset !== null && offset !== head.bytes.length) return false;
      const bytes = last.length === 0 ? head.bytes : Buffer.concat([head.bytes, last]);
      return matches(bytes, digest) && this.closer.closeReserved(session, head.epoch, bytes, digest);
    });
  }

  /** There was nothing to claim, or it was lost (`row`): an equal request may be at work, or may have been. */
  private async goOn(request: ClosingRequest, lost: UploadRow | null, isWhole: boolean): Promise<void> {
    const { session, digest, range, incoming } = request;
    const waiting = waitingOf({
      session,
      digest,
      signal: incoming.signal,
      offset: lost?.received ?? range?.start ?? null,
      mayGoOn: isWhole || lost === null,
    });
    for (;;) {
      const left = await this.wait.settled(waiting);
      if (left === null) return;
      if (await (left.isComplete ? this.takeOver(request) : this.again(request, waiting, isWhole))) return;
    }
  }

  private async again(request: ClosingRequest, waiting: Waiting, isWhole: boolean): Promise<boolean> {
    const row = await this.claim(request, waiting.offset, isWhole);
    if (!row) return false;
    waiting.offset = row.received;
    waiting.mayGoOn = isWhole;
    return this.closeClaimed(request, row, isWhole);
  }

  private async takeOver(request: ClosingRequest): Promise<boolean> {
    const { session, digest } = request;
    const row = await this.uploads.takeOver(keyOf(session), digest);
    return row !== null && this.released(session.id, row.epoch, this.closer.closeAgain(session, row, digest));
  }

  private claim(
    { session, digest }: ClosingRequest,
    offset: number | null,
    isWhole: boolean,
  ): Promise<UploadRow | null> {
    return this.uploads.claimToClose(keyOf(session), { digest, offset, isWhole });
  }

  /** False when another request has taken the upload over. */
  private async closeClaimed(request: ClosingRequest, row: UploadRow, isWhole: boolean): Promise<boolean> {
    const { session, digest, first } = request;
    if (isWhole && isInRow(row)) {
      const bytes = row.head ? Buffer.concat([row.head, first]) : first;
      return this.released(session.id, row.epoch, this.closer.closeInMemory(session, row.epoch, bytes, digest));
    }
    if (isWhole && first.length === 0)
      return this.released(session.id, row.epoch, this.closer.closeStored(session, row, digest));
    // The claim of a short body did not wait for the disk, and this one needs a name that survives.
    const claimed = isWhole ? await this.uploads.claim(keyOf(session), row.received, true) : row;
    if (!claimed) return false;
    const closing = this.closer.closeWithBody(session, claimed, closingChunk(request), digest);
    return this.released(session.id, claimed.epoch, closing);
  }

  /** After a failure other requests need not wait for the end of its lease. */
  private async released(id: string, epoch: number, closing: Promise<boolean>): Promise<boolean> {
    try {
      return await closing;
    } catch (error) {
      await this.uploads.stayClosing(id, epoch, 0).catch(() => undefined);
      throw error;
    }
  }
}

/** Whether the store has nothing of it yet. */
function isInRow({ received, head }: UploadRow): boolean {
  return received === (head?.length ?? 0);
}

export function closingChunk({ incoming, first, range, digest }: Omit<ClosingRequest, 'session'>): Chunk {
  return chunkOf(incoming, { kind: 'closing', algorithm: algorithmOf(digest) }, first, range);
}

export function chunkOf(
  { body, signal, share }: IncomingBody,
  kind: Chunk['kind'],
  first: Buffer,
  range: ByteRange | null,
): Chunk {
  const isWhole = body.hasEnded;
  const bytes = isWhole ? first.length : range ? rangeLength(range) : body.declaredLength;
  return { kind, first, rest: isWhole ? null : body, bytes, signal, share };
}
