import type { UploadRow } from '../uploads.repository.js';

/** What a closing PUT finds. */
export interface ClosingFacts {
  /** How it holds the upload: by the epoch that the node's last PATCH reserved, by a claim, or by taking over an equal PUT. */
  readonly hold: 'reserved' | 'claimed' | 'takenOver';
  /** Bytes acknowledged before. */
  readonly received: number;
  /** How many of these are in memory: in the row or at the node. */
  readonly inline: number;
  /** Where its body starts, when it says so. A claim finds no other place. */
  readonly start: number | null;
  /** Bytes of its own body; `null` while more is to come than was read. */
  readonly body: number | null;
}

/**
 * - `claim`: nothing may be done before the row is claimed.
 * - `put`: all bytes are in memory, the store gets one whole object.
 * - `append`: the body is streamed after the earlier bytes; `appendDurably`: after a claim that waits for the disk, since
 *   the one of a short body did not, and the store is about to have objects that only the row names.
 * - `complete`: the earlier bytes are all, and their hash is known as far as it can be.
 * - `completeAgain`: an equal PUT had brought all bytes; what it did not verify is read.
 */
export type ClosingStep = 'claim' | 'put' | 'append' | 'appendDurably' | 'complete' | 'completeAgain';

/** The one decision of a closing PUT; who does what is in docs/design/uploads.md. */
export function closingStep({ hold, received, inline, start, body }: ClosingFacts): ClosingStep {
  if (hold === 'takenOver') return 'completeAgain';
  if (hold === 'reserved' && start !== null && start !== received) return 'claim';
  if (body === null) return hold === 'reserved' ? 'claim' : 'append';
  if (received === inline) return 'put';
  if (hold === 'reserved') return 'claim';
  return body === 0 ? 'complete' : 'appendDurably';
}

/** Of an upload as its row is. */
export function bytesOf({
  received,
  inline,
}: Pick<UploadRow, 'received' | 'inline'>): Pick<ClosingFacts, 'received' | 'inline'> {
  return { received, inline: inline?.length ?? 0 };
}

/** The epoch that names the one object which that node may write without a claim. */
export function reservedEpoch(epoch: number): number {
  return epoch - 1;
}
