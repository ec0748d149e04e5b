import type { BlobObject } from '../../registry/blobs/stored-blobs.js';
import type { Look } from './blob-checker.js';
import type { HeldRun, Progress } from './integrity-runs.repository.js';
import { Pace } from './pace.js';

/** Blobs that are looked at together: small ones wait for the store, and not for each other. */
const GROUP = 16;
/** Of these no more than this much is read. */
const GROUP_BYTES = 8 * 2 ** 20;
/** What a stop may lose of a large blob: 15 s at the run's pace, and no more than one request reads. */
const PIECE_SECONDS = 15;
const [SMALLEST_PIECE, LARGEST_PIECE] = [2 ** 20, 64 * 2 ** 20];

/** What a blob counts as. */
export type Outcome = 'whole' | 'damaged' | 'healed' | 'unchecked';

/** Is told what a run does. */
export interface Watcher {
  moved(progress: Progress): void;
  unchecked(blob: BlobObject, reason: string): void;
}

/** How far one run is, and how it looks at blobs. */
export class WalkProgress {
  position: number;
  /** Blobs in a row of which the store said nothing. */
  failures = 0;
  readonly counts: { blobs: number; bytes: number; damaged: number; healed: number; unchecked: number };
  readonly look: Look;

  constructor(
    readonly run: HeldRun,
    signal: AbortSignal,
    readonly watcher?: Watcher,
  ) {
    const { kind, hash, bytesPerSecond, reading, position, blobs, bytes, damaged, healed, unchecked } = run;
    this.position = position;
    this.counts = { blobs, bytes, damaged, healed, unchecked };
    const pieceBytes = Math.min(LARGEST_PIECE, Math.max(SMALLEST_PIECE, Math.round(bytesPerSecond * PIECE_SECONDS)));
    this.look = { kind, hash, pace: new Pace(bytesPerSecond), pieceBytes, signal, reading };
  }

  now(): Progress {
    return { position: this.position, reading: this.look.reading, ...this.counts };
  }

  /** All of them at once: a blob counts when its position does. */
  passed(group: readonly BlobObject[], outcomes: readonly Outcome[]): void {
    this.position = group.at(-1)?.blobId ?? this.position;
    this.counts.blobs += group.length;
    for (const outcome of outcomes) if (outcome !== 'whole') this.counts[outcome] += 1;
    this.counts.bytes += bytesOf(group);
    this.look.reading = null;
    this.tell();
  }

  tell(): void {
    this.watcher?.moved(this.now());
  }

  /** Blobs that follow each other. One that is read in pieces is a group of its own: there is one reading to keep. */
  *groupsOf(page: readonly BlobObject[]): Generator<readonly BlobObject[]> {
    const { hash, pieceBytes } = this.look;
    const most = hash ? Math.min(GROUP_BYTES, pieceBytes) : Infinity;
    let group: BlobObject[] = [];
    for (const blob of page) {
      const isFull = group.length === GROUP || bytesOf(group) + blob.size > most;
      if (group.length > 0 && isFull) {
        yield group;
        group = [];
      }
      group.push(blob);
    }
    if (group.length > 0) yield group;
  }
}

function bytesOf(group: readonly BlobObject[]): number {
  return group.reduce((sum, { size }) => sum + size, 0);
}
