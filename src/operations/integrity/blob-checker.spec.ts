import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from '@jest/globals';
import { HashWorkers } from '../../registry/hashing/hash-workers.js';
import { HASH_LIBRARY } from '../../registry/hashing/saved-hash.js';
import type { BlobObject } from '../../registry/blobs/stored-blobs.js';
import { type Algorithm, digestFrom } from '../../oci/digest.js';
import type { BlobStore, ByteRange, ReadOptions } from '../../storage/blob-store.js';
import type { ObjectKey } from '../../storage/object-keys.js';
import { BlobChecker, type Look } from './blob-checker.js';
import { Pace } from './pace.js';

const MIB = 2 ** 20;
const BYTES = randomBytes(5 * MIB + 7);

/** A store with one object that can be read in ranges, and says which were asked for. */
class OneObject {
  readonly ranges: ByteRange[] = [];
  /** Called before each read. */
  beforeRead = (): void => undefined;

  constructor(public bytes: Buffer) {}

  stat(): Promise<{ size: number }> {
    return Promise.resolve({ size: this.bytes.length });
  }

  open(_key: ObjectKey, { range = { first: 0, last: this.bytes.length - 1 } }: ReadOptions = {}): Promise<Readable> {
    this.beforeRead();
    this.ranges.push(range);
    return Promise.resolve(Readable.from([Buffer.from(this.bytes.subarray(range.first, range.last + 1))]));
  }
}

const workers = new HashWorkers();
afterAll(() => workers.onApplicationShutdown());

function setting(algorithm: Algorithm = 'sha256') {
  const object = new OneObject(Buffer.from(BYTES));
  const digest = digestFrom(algorithm, createHash(algorithm).update(BYTES).digest());
  const storageKey = `ab/${randomUUID()}.1` as ObjectKey;
  const blob: BlobObject = { blobId: 7, digest, size: BYTES.length, storageKey, damage: null };
  const slept: number[] = [];
  const clock = { now: () => 0, sleep: (ms: number) => Promise.resolve(void slept.push(ms)) };
  const stop = new AbortController();
  const pace = new Pace(MIB, clock);
  const look: Look = { kind: 'scrub', hash: true, pace, pieceBytes: MIB, signal: stop.signal, reading: null };
  return { object, blob, look, stop, slept, checker: new BlobChecker(object as unknown as BlobStore, workers) };
}

function flipped(bytes: Buffer): Buffer {
  const other = Buffer.from(bytes);
  other.writeUInt8(other.readUInt8(3 * MIB) ^ 1, 3 * MIB);
  return other;
}

describe('a large blob', () => {
  it.each(['sha256', 'sha512'] as const)('is read in pieces, at the pace, and has its %s', async (algorithm) => {
    const { object, blob, look, slept, checker } = setting(algorithm);
    expect(await checker.check(blob, look)).toEqual({ kind: 'whole' });
    expect(object.ranges.map(({ first }) => first)).toEqual([0, MIB, 2 * MIB, 3 * MIB, 4 * MIB, 5 * MIB]);
    // The clock stands still, so the last pause is all that the bytes may take.
    expect(slept.at(-1)).toBeCloseTo((BYTES.length / MIB) * 1000, 0);
    expect(look.reading).toBeNull();
  });

  it('goes on behind the last piece after a stop, also another process’s', async () => {
    const { object, blob, look, stop, checker } = setting();
    object.beforeRead = () => {
      if (object.ranges.length === 3) stop.abort(new Error('the node stops'));
    };
    await expect(checker.check(blob, look)).rejects.toThrow('the node stops');
    const kept = JSON.parse(JSON.stringify(look.reading)) as Look['reading'];
    expect(kept).toMatchObject({ blobId: 7, isSecond: false });
    object.ranges.length = 0;
    object.beforeRead = () => undefined;
    const again: Look = { ...look, signal: new AbortController().signal, reading: kept };
    expect(await checker.check(blob, again)).toEqual({ kind: 'whole' });
    expect(object.ranges[0]?.first).toBe(kept?.bytes);
    expect(kept?.bytes).toBeGreaterThanOrEqual(3 * MIB);
  });

  it('is read from the beginning where what was kept is of another object or another library', async () => {
    const { object, blob, look, checker } = setting();
    const { blobId, storageKey } = blob;
    const kept = { blobId, storageKey, bytes: MIB, hashState: '', hashLibrary: HASH_LIBRARY, isSecond: false };
    for (const reading of [
      { ...kept, storageKey: `cd/${randomUUID()}.1` },
      { ...kept, hashLibrary: 'hash-wasm 1.0.0' },
      { ...kept, blobId: 8 },
    ]) {
      object.ranges.length = 0;
      expect(await checker.check(blob, { ...look, reading })).toEqual({ kind: 'whole' });
      expect(object.ranges).toHaveLength(6);
    }
  });

  it('is damaged when it has other bytes twice, and the second reading goes on after a stop too', async () => {
    const { object, blob, look, stop, checker } = setting();
    object.bytes = flipped(BYTES);
    object.beforeRead = () => {
      if (object.ranges.length === 8) stop.abort(new Error('the node stops'));
    };
    await expect(checker.check(blob, look)).rejects.toThrow('the node stops');
    expect(look.reading).toMatchObject({ isSecond: true });
    object.ranges.length = 0;
    const again: Look = { ...look, signal: new AbortController().signal };
    expect(await checker.check(blob, again)).toEqual({ kind: 'damaged', damage: 'bytes' });
    expect(object.ranges.length).toBeLessThan(6);
  });

  it('is not damaged by one reading that went wrong', async () => {
    const { object, blob, look, checker } = setting();
    object.bytes = flipped(BYTES);
    object.beforeRead = () => {
      if (object.ranges.length === 6) object.bytes = BYTES;
    };
    expect(await checker.check(blob, look)).toMatchObject({ kind: 'unchecked' });
  });
});
