import { Injectable } from '@nestjs/common';
import { type ByteRange, rangeLength } from '../../../oci/content-range.js';
import { algorithmOf, type Digest } from '../../../oci/digest.js';
import { matches, UploadCloser } from '../upload-closer.service.js';
import { UploadStore } from '../upload-store.service.js';
import { type IncomingBody, keyOf, type UploadSession } from '../upload-session.js';
import type { Chunk } from '../upload-writer.service.js';
import type { UploadRow } from '../uploads.repository.js';
import { type ClosingStep, closingStep, bytesOf, reservedEpoch } from './closing-plan.js';
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
    if (isWhole && (await this.closeReserved(request))) return;
    const offset = range?.start ?? null;
    const row = await this.claim(request, offset, isWhole);
    if (row && (await this.closeHeld(request, row, 'claimed'))) return;
    await this.goOn(request, row, isWhole);
    if (!isWhole) incoming.body.discard();
  }

  /** The bytes came to this node a moment ago. False for everything but success: then the row is asked. */
  private closeReserved({ session, digest, range, first }: ClosingRequest): Promise<boolean> {
    const start = range?.start ?? null;
    return this.uploads.reserve(keyOf(session), async ({ bytes: inline, epoch }) => {
      const known = { received: inline.length, inline: inline.length };
      if (closingStep({ hold: 'reserved', ...known, start, body: first.length }) !== 'put') return false;
      const bytes = first.length === 0 ? inline : Buffer.concat([inline, first]);
      return matches(bytes, digest) && this.closer.put(session, epoch, bytes, digest, reservedEpoch(epoch));
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
    return this.closeHeld(request, row, 'claimed');
  }

  private async takeOver(request: ClosingRequest): Promise<boolean> {
    const row = await this.uploads.takeOver(keyOf(request.session), request.digest);
    return row !== null && this.closeHeld(request, row, 'takenOver');
  }

  private claim(
    { session, digest }: ClosingRequest,
    offset: number | null,
    isWhole: boolean,
  ): Promise<UploadRow | null> {
    return this.uploads.claimToClose(keyOf(session), { digest, offset, isWhole });
  }

  /** False when another request has taken the upload over. */
  private async closeHeld(request: ClosingRequest, row: UploadRow, hold: 'claimed' | 'takenOver'): Promise<boolean> {
    const { session, range, first, incoming } = request;
    const body = incoming.body.hasEnded ? first.length : null;
    const step = closingStep({ hold, ...bytesOf(row), start: range?.start ?? null, body });
    // The claim of a short body did not wait for the disk, and this one needs a name that survives.
    const held = step === 'appendDurably' ? await this.uploads.claim(keyOf(session), row.received, true) : row;
    return held !== null && this.released(session.id, held.epoch, this.run(step, request, held));
  }

  private async run(step: ClosingStep, request: ClosingRequest, row: UploadRow): Promise<boolean> {
    const { session, digest, first } = request;
    switch (step) {
      case 'claim':
        return false;
      case 'put': {
        const bytes = row.inline ? Buffer.concat([row.inline, first]) : first;
        if (!matches(bytes, digest)) return this.closer.mismatch(session, row.epoch, digest);
        return this.closer.put(session, row.epoch, bytes, digest);
      }
      case 'append':
      case 'appendDurably':
        return this.closer.append(session, row, closingChunk(request), digest);
      case 'complete':
        return this.closer.complete(session, row, digest);
      case 'completeAgain':
        return this.closer.completeAgain(session, row, digest);
    }
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
