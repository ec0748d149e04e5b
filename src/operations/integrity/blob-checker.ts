import { Injectable } from '@nestjs/common';
import { beginHash, type BodyHash } from '../../registry/hashing/body-hash.js';
import { HashWorkers } from '../../registry/hashing/hash-workers.js';
import { HASH_LIBRARY } from '../../registry/hashing/saved-hash.js';
import type { BlobObject, DamageKind } from '../../registry/blobs/stored-blobs.js';
import { INTEGRITY_BYTES } from './integrity-counts.js';
import { algorithmOf } from '../../oci/digest.js';
import { BlobStore, type ByteRange } from '../../storage/blob-store.js';
import { releaseMemory } from '../../fairness/release-memory.js';
import { ObjectNotFound } from '../../storage/storage-errors.js';
import type { RunKind } from './integrity-run.entity.js';
import type { Pace } from './pace.js';
import type { Reading } from './reading.js';

export type Verdict =
  | { readonly kind: 'whole' }
  | { readonly kind: 'damaged'; readonly damage: DamageKind }
  /** The store did not say; that is no damage. */
  | { readonly kind: 'unchecked'; readonly reason: string };

/** How the blobs of a run are looked at. */
export interface Look {
  readonly kind: RunKind;
  readonly hash: boolean;
  readonly pace: Pace;
  /** A blob that is larger is read in pieces of this size, and after each of them the reading is kept. */
  readonly pieceBytes: number;
  readonly signal: AbortSignal;
  /** What an earlier holder of the run, or this one, has read of a large blob. */
  reading: Reading | null;
}

/** Compares one blob with its object. */
@Injectable()
export class BlobChecker {
  constructor(
    private readonly store: BlobStore,
    private readonly workers: HashWorkers,
  ) {}

  /**
   * Wrong bytes are read again from the beginning: a mark takes the blob away from clients, and what went wrong between
   * the disk and the hash once must not lead to it. Throws the signal's reason, and nothing else.
   */
  async check(blob: BlobObject, look: Look): Promise<Verdict> {
    try {
      const isSecond = readingOf(blob, look)?.isSecond === true;
      const first = isSecond ? 'bytes' : await this.damageOf(blob, look, false);
      if (first === null) return { kind: 'whole' };
      const damage = first === 'bytes' ? await this.damageOf(blob, look, true) : first;
      if (damage !== null) return { kind: 'damaged', damage };
      return { kind: 'unchecked', reason: 'its bytes were right only when they were read again' };
    } catch (error) {
      look.signal.throwIfAborted();
      return { kind: 'unchecked', reason: String(error) };
    }
  }

  private async damageOf(blob: BlobObject, look: Look, isSecond: boolean): Promise<DamageKind | null> {
    look.signal.throwIfAborted();
    try {
      const stat = await this.store.stat(blob.storageKey);
      if (stat === null) return 'missing';
      if (stat.size !== blob.size) return 'size';
      if (!look.hash) return null;
      return await (blob.size > look.pieceBytes ? this.readPieces(blob, look, isSecond) : this.readWhole(blob, look));
    } catch (error) {
      if (error instanceof ObjectNotFound) return 'missing';
      throw error;
    }
  }

  private async readWhole(blob: BlobObject, look: Look): Promise<DamageKind | null> {
    const plan = { kind: 'native', algorithm: algorithmOf(blob.digest) } as const;
    const { digest } = await this.hashed(beginHash(plan, blob.size, this.workers), blob, look);
    return digest === blob.digest ? null : 'bytes';
  }

  /** With the hash that can be saved: several times as slow, but a stop loses a piece and not the blob. */
  private async readPieces(blob: BlobObject, look: Look, isSecond: boolean): Promise<DamageKind | null> {
    const algorithm = algorithmOf(blob.digest);
    const kept = readingOf(blob, look);
    let at = kept?.isSecond === isSecond ? kept.bytes : 0;
    let state: Buffer | null = at === 0 ? null : Buffer.from(kept?.hashState ?? '', 'base64');
    for (;;) {
      look.signal.throwIfAborted();
      const range = { first: at, last: Math.min(at + look.pieceBytes, blob.size) - 1 };
      const hash = beginHash({ kind: 'saved', algorithm, state }, range.last - at + 1, this.workers);
      const { digest, hashState, hashLibrary } = await this.hashed(hash, blob, look, range);
      at = range.last + 1;
      if (at === blob.size) {
        look.reading = null;
        return digest === blob.digest ? null : 'bytes';
      }
      if (hashState === null || hashLibrary === null) throw new Error('a hash that cannot be saved');
      state = hashState;
      const { blobId, storageKey } = blob;
      look.reading = { blobId, storageKey, bytes: at, hashState: hashState.toString('base64'), hashLibrary, isSecond };
    }
  }

  /** Throws when the store gives fewer or more bytes than it said it has. */
  private async hashed(hash: BodyHash, { storageKey, size }: BlobObject, look: Look, range?: ByteRange) {
    const { signal, pace, kind } = look;
    try {
      let bytes = 0;
      const options = range === undefined ? { signal } : { signal, range };
      for await (const chunk of await this.store.open(storageKey, options)) {
        const { length } = chunk as Buffer;
        bytes += length;
        const room = hash.update(chunk as Buffer);
        if (room) await room;
        releaseMemory(chunk as Buffer);
        INTEGRITY_BYTES.add(kind, length);
        const pause = pace.spend(length, signal);
        if (pause) await pause;
      }
      const expected = range === undefined ? size : range.last - range.first + 1;
      if (bytes !== expected) throw new Error(`the store gave ${bytes} bytes of ${expected}`);
      return await hash.finish();
    } catch (error) {
      hash.discard();
      throw error;
    }
  }
}

/** `null` also where it is of another object, or of a build whose state this one cannot load. */
function readingOf({ blobId, storageKey }: BlobObject, { reading }: Look): Reading | null {
  const isOurs =
    reading?.blobId === blobId && reading.storageKey === storageKey && reading.hashLibrary === HASH_LIBRARY;
  return isOurs ? reading : null;
}
