import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../../oci/digest.js';
import { OciError } from '../../../oci/oci-error.js';
import { UploadStore } from '../upload-store.service.js';
import { keyOf, outOfOrder, type UploadSession } from '../upload-session.js';
import type { ClosingState } from '../uploads.repository.js';

/** Pauses between two looks; milliseconds. Most closing requests take a few. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 500;
/** Longer than the lease of a node that died, and shorter than load balancers and clients wait for a first byte. */
const PATIENCE_MS = 25_000;

/** No request is closing the upload. `isComplete`: all bytes of this digest are in, and it may be taken over. */
export interface LeftUpload {
  readonly received: number;
  readonly isComplete: boolean;
}

/** One closing request that others have overtaken, or that found another one at work. */
export interface Waiting {
  readonly session: UploadSession;
  readonly digest: Digest;
  readonly signal: AbortSignal;
  /** Where its bytes belong, when it knows. */
  offset: number | null;
  /** Whether it still has its bytes and could go on by itself. */
  mayGoOn: boolean;
  readonly since: number;
  pauseMs: number;
  hasGoneOn: boolean;
}

export function waitingOf(waiting: Omit<Waiting, 'since' | 'pauseMs' | 'hasGoneOn'>): Waiting {
  return { ...waiting, since: performance.now(), pauseMs: FIRST_PAUSE_MS, hasGoneOn: false };
}

/** Lets a closing request have the result of an equal one. No connection to the database is held while it waits. */
@Injectable()
export class ClosingWait {
  constructor(private readonly uploads: UploadStore) {}

  /**
   * `null` once the upload has become the blob that the request asked for. Throws `uploadUnknown` when it has ended in
   * another way, `chunkOutOfOrder` when it went on without the request, `storeBusy` (503) when that takes too long.
   */
  async settled(waiting: Waiting): Promise<LeftUpload | null> {
    const { session, digest } = waiting;
    for (;;) {
      const row = await this.uploads.findClosing(keyOf(session));
      if (row?.state === 'done' && row.digest === digest) return null;
      if (row?.state !== 'open' && row?.state !== 'completing') throw new OciError('uploadUnknown');
      if (!row.isClosing) {
        const left = leftOf(waiting, row);
        if (left.isComplete || waiting.mayGoOn) {
          // At once only the first time: later attempts compete with others.
          if (waiting.hasGoneOn) await pause(waiting);
          waiting.hasGoneOn = true;
          return left;
        }
      }
      await pause(waiting);
    }
  }
}

async function pause(waiting: Waiting): Promise<void> {
  const { since, signal } = waiting;
  if (performance.now() - since > PATIENCE_MS) throw new OciError('storeBusy');
  try {
    await sleep(waiting.pauseMs * (0.5 + Math.random()), undefined, { signal });
  } catch (error) {
    throw new OciError('uploadInvalid', { reason: 'the client has left' }, { cause: error });
  }
  waiting.pauseMs = Math.min(waiting.pauseMs * 2, LONGEST_PAUSE_MS);
}

function leftOf({ session, digest, offset }: Waiting, row: ClosingState): LeftUpload {
  const { state, received } = row;
  const wanted = state === 'completing' ? row.digest : row.closing;
  if (wanted === digest) return { received, isComplete: true };
  if (state === 'completing') throw new OciError('uploadInvalid', { reason: 'the upload is being closed' });
  if (offset !== null && offset !== received)
    throw outOfOrder({ name: session.repository.path, id: session.id, received });
  return { received, isComplete: false };
}
