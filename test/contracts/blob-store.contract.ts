import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BlobStore } from '../../src/storage/blob-store.js';
import { objectKeyOf, type ObjectKey } from '../../src/storage/object-keys.js';
import { LengthMismatch, ObjectNotFound } from '../../src/storage/storage-errors.js';
import { chunked, contentOf, UploadRow } from './upload-row.js';

/** One place for objects, seen by several instances of a driver as by several nodes. */
export interface Place {
  /** A new instance that knows nothing but the place. */
  node(): BlobStore;
  /** All that is kept for an upload: objects, and what only the driver can see (multipart uploads). */
  namesOf(stem: ObjectKey): Promise<string[]>;
  /** How often two bodies race: as many as the store does in a few seconds. */
  readonly races: number;
}

const MIB = 1024 * 1024;
const LARGE = 512 * MIB;

/** Bytes, then whatever happens to the source. */
export function broken(bytes: Buffer, then: () => Promise<never>): AsyncIterable<Uint8Array> {
  return (async function* () {
    yield* chunked(bytes);
    await then();
  })();
}

const silence = (): Promise<never> => new Promise<never>(() => undefined);

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What every driver keeps to. `setUp` makes an empty place once for the whole suite. */
export function describeBlobStore(name: string, setUp: () => Promise<Place>): void {
  describe(`a blob store (${name})`, () => {
    let place: Place;
    let node: BlobStore;
    const nodes: BlobStore[] = [];
    const another = (): BlobStore => {
      const made = place.node();
      nodes.push(made);
      return made;
    };

    beforeAll(async () => {
      place = await setUp();
      node = another();
      await node.prepare();
    });
    afterAll(async () => {
      await Promise.all(nodes.map((each) => each.close()));
    });

    describe('reads', () => {
      const bytes = randomBytes(300_000);
      let key: ObjectKey;
      beforeAll(async () => {
        key = await node.put(new UploadRow().begin().target, bytes, sha256(bytes));
      });

      it('says how large an object is, and that it is absent only when it is', async () => {
        expect(await node.stat(key)).toEqual({ size: bytes.length });
        expect(await node.stat(objectKeyOf(randomUUID()))).toBeNull();
      });

      it('gives all bytes', async () => {
        expect((await contentOf(node, key)).equals(bytes)).toBe(true);
      });

      it.each([
        [0, 0],
        [0, 299_999],
        [299_999, 299_999],
        [1000, 250_000],
      ])('gives the range %i to %i', async (first, last) => {
        expect((await contentOf(node, key, { first, last })).equals(bytes.subarray(first, last + 1))).toBe(true);
      });

      it('throws before the first byte when the object is absent', async () => {
        await expect(node.open(objectKeyOf(randomUUID()))).rejects.toBeInstanceOf(ObjectNotFound);
      });

      it('ends a read with the reason of its signal', async () => {
        const abort = new AbortController();
        const stream = await node.open(key, { signal: abort.signal });
        abort.abort(new Error('the client left'));
        await expect(stream.toArray()).rejects.toThrow('the client left');
      });

      it('deletes, and does not mind what is absent', async () => {
        const gone = await node.put(new UploadRow().begin().target, Buffer.from('x'));
        await node.delete([gone, objectKeyOf(randomUUID())]);
        await node.delete([gone]);
        await node.delete([]);
        expect(await node.stat(gone)).toBeNull();
      });
    });

    describe('writes', () => {
      it.each([0, 1, 16 * 1024, 5 * MIB - 1, 8 * MIB, 8 * MIB + 1, 21 * MIB])(
        'keeps %i bytes of one request, announced or not, and completes without another name',
        async (size) => {
          const bytes = randomBytes(size);
          for (const expectedBytes of [null, size]) {
            const row = new UploadRow();
            expect(await row.send(node, chunked(bytes), { expectedBytes, sha256: () => sha256(bytes) })).toBe(true);
            const key = await row.commit(another());
            expect(await node.stat(key)).toEqual({ size });
            expect(sha256(await contentOf(node, key))).toBe(sha256(bytes));
            expect(await place.namesOf(row.key)).toEqual([key]);
          }
        },
        60_000,
      );

      it('keeps an empty blob that no request ever wrote, also when completed twice', async () => {
        const row = new UploadRow();
        const key = await row.commit(node);
        expect(await row.commit(another())).toBe(key);
        expect(await node.stat(key)).toEqual({ size: 0 });
        expect(await contentOf(node, key)).toHaveLength(0);
      });

      it.each([
        ['tiny requests', 1000, 7],
        ['requests just above the smallest part', 5 * MIB + 1, 7],
        ['requests below the smallest part', 2 * MIB, 9],
        ['requests of a part', 8 * MIB, 3],
        ['requests that leave a tail', 11 * MIB, 3],
      ])(
        'goes on in another process after every request: %s',
        async (_name, size, times) => {
          const row = new UploadRow();
          const hash = createHash('sha256');
          for (let round = 0; round < times; round += 1) {
            const bytes = randomBytes(size);
            hash.update(bytes);
            expect(await row.send(another(), chunked(bytes), { expectedBytes: round % 2 ? size : null })).toBe(true);
          }
          await row.send(another(), chunked(Buffer.alloc(0)), { expectedBytes: 0 });
          const key = await row.commit(another());
          const sha = hash.digest('hex');
          for (const step of ['as it was completed', 'joined', 'joined again']) {
            if (step !== 'as it was completed') await row.compact(another(), key);
            expect([step, await node.stat(key)]).toEqual([step, { size: size * times }]);
            expect([step, sha256(await contentOf(node, key))]).toEqual([step, sha]);
          }
          expect(await place.namesOf(row.key)).toEqual([key]);
        },
        60_000,
      );

      it('gives the same bytes when a completion is repeated, whether its effects were seen or not', async () => {
        const row = new UploadRow();
        const bytes = randomBytes(11 * MIB);
        await row.send(node, chunked(bytes.subarray(0, 9 * MIB)));
        await row.send(node, chunked(bytes.subarray(9 * MIB)));
        const first = await node.complete({ key: row.key, epoch: row.epoch }, row.state);
        const sameEpoch = await another().complete({ key: row.key, epoch: row.epoch }, row.state);
        const laterEpoch = await another().complete(row.claim(), row.state);
        expect([sameEpoch.key, laterEpoch.key]).toEqual([first.key, first.key]);
        await node.delete(first.obsolete);
        row.isSplit = first.isSplit;
        await row.compact(another(), first.key);
        const afterwards = await another().complete(row.claim(), row.state);
        expect(afterwards.key).toBe(first.key);
        expect((await contentOf(node, first.key)).equals(bytes)).toBe(true);
      });

      it('stays within a bounded memory', async () => {
        const block = randomBytes(MIB);
        const before = process.memoryUsage().rss;
        let peak = before;
        const large = (async function* () {
          for (let round = 0; round < LARGE / MIB; round += 1) {
            peak = Math.max(peak, process.memoryUsage().rss);
            await Promise.resolve();
            // A copy, as a socket would give: shared memory would hide what is kept.
            yield Buffer.from(block);
          }
        })();
        const row = new UploadRow();
        await row.send(node, large);
        expect(row.offset).toBe(LARGE);
        expect(await node.stat(await row.commit(node))).toEqual({ size: LARGE });
        await node.abandon(row.claim(), row.state);
        expect((peak - before) / MIB).toBeLessThan(200);
      }, 120_000);
    });

    describe('failures', () => {
      /** What a failed request left must not count: the same row goes on, and has exactly the other bytes. */
      async function expectGoesOn(row: UploadRow, before: Buffer): Promise<void> {
        const bytes = randomBytes(9 * MIB);
        expect(await row.send(another(), chunked(bytes))).toBe(true);
        const key = await row.commit(another());
        expect(sha256(await contentOf(node, key))).toBe(sha256(Buffer.concat([before, bytes])));
        await row.compact(node, key);
        await node.abandon(row.claim(), row.state, key);
        expect(await place.namesOf(row.key)).toEqual([key]);
        await node.abandon(row.claim(), row.state);
        expect(await place.namesOf(row.key)).toEqual([]);
      }

      const STARTS = [
        ['at the start', 0],
        ['after a few bytes', 1000],
        ['after a part', 9 * MIB],
      ] as const;

      it.each(STARTS)(
        'does not count a body whose source fails %s',
        async (_name, size) => {
          const row = new UploadRow();
          const before = randomBytes(size);
          await row.send(node, chunked(before));
          const source = broken(randomBytes(12 * MIB), () => Promise.reject(new Error('reset by peer')));
          await expect(row.send(node, source)).rejects.toThrow('reset by peer');
          await expectGoesOn(row, before);
        },
        60_000,
      );

      it.each(STARTS)(
        'stops with the reason of the signal while the source is silent %s',
        async (_name, size) => {
          const row = new UploadRow();
          const before = randomBytes(size);
          await row.send(node, chunked(before));
          const abort = new AbortController();
          const source = broken(randomBytes(12 * MIB), () => {
            setTimeout(() => {
              abort.abort(new Error('the client left'));
            }, 20);
            return silence();
          });
          await expect(row.send(node, source, { signal: abort.signal })).rejects.toThrow('the client left');
          await expectGoesOn(row, before);
        },
        60_000,
      );

      it('does not begin when the signal has come already', async () => {
        const row = new UploadRow();
        const signal = AbortSignal.abort(new Error('too late'));
        await expect(row.send(node, chunked(randomBytes(10)), { signal })).rejects.toThrow('too late');
        expect(await place.namesOf(row.key)).toEqual([]);
      });

      it.each([
        ['shorter', 12 * MIB, 12 * MIB + 1],
        ['longer', 12 * MIB, 12 * MIB - 1],
        ['shorter, and small', 100, 101],
        ['longer, and small', 100, 99],
      ])('refuses a body that is %s than announced', async (_name, size, expectedBytes) => {
        const row = new UploadRow();
        const failure = row.send(node, chunked(randomBytes(size)), { expectedBytes });
        await expect(failure).rejects.toBeInstanceOf(LengthMismatch);
        await expectGoesOn(row, Buffer.alloc(0));
      });

      it.each(STARTS)(
        'lets a later epoch go on while an earlier writer hangs, and does not mind when that one wakes up: %s',
        async (_name, size) => {
          const row = new UploadRow();
          const before = randomBytes(size);
          await row.send(node, chunked(before));
          const [asleep, awake] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
          const hanging = (async function* () {
            yield* chunked(randomBytes(21 * MIB));
            asleep.resolve(undefined);
            await awake.promise;
            yield* chunked(randomBytes(9 * MIB));
          })();
          const sleeper = row.send(another(), hanging).catch(() => false);
          await asleep.promise;
          const bytes = randomBytes(19 * MIB);
          expect(await row.send(another(), chunked(bytes))).toBe(true);
          awake.resolve(undefined);
          expect(await sleeper).toBe(false);
          const key = await row.commit(another());
          expect(sha256(await contentOf(node, key))).toBe(sha256(Buffer.concat([before, bytes])));
          await node.abandon(row.claim(), row.state);
          expect(await place.namesOf(row.key)).toEqual([]);
        },
        60_000,
      );

      it('never mixes two bodies that are sent at once at one offset', async () => {
        for (let round = 0; round < place.races; round += 1) {
          const row = new UploadRow();
          const before = randomBytes(round % 3 === 0 ? 0 : 9 * MIB);
          await row.send(node, chunked(before), { expectedBytes: before.length });
          const size = round % 2 === 0 ? 3000 : 17 * MIB + 5;
          const bodies = [randomBytes(size), randomBytes(size)];
          const claims = bodies.map(() => row.begin());
          const sent = await Promise.allSettled(
            bodies.map((bytes, index) => row.send(node, chunked(bytes), {}, claims[index])),
          );
          const winner = sent.findIndex((result) => result.status === 'fulfilled' && result.value);
          expect(winner).toBe(1);
          const key = await row.commit(node);
          expect(sha256(await contentOf(node, key))).toBe(
            sha256(Buffer.concat([before, bodies[winner] ?? Buffer.alloc(0)])),
          );
          await node.abandon(row.claim(), row.state);
          expect(await place.namesOf(row.key)).toEqual([]);
        }
      }, 120_000);

      it('leaves nothing of an upload that is abandoned, whatever its epochs left', async () => {
        const row = new UploadRow();
        for (const size of [100, 9 * MIB, 1000]) await row.send(node, chunked(randomBytes(size)));
        const source = broken(randomBytes(30 * MIB), () => Promise.reject(new Error('gone')));
        await expect(row.send(node, source)).rejects.toThrow('gone');
        await node.complete(row.claim(), row.state);
        await node.abandon(row.claim(), row.state);
        expect(await place.namesOf(row.key)).toEqual([]);
        await node.abandon(row.claim(), null);
      });

      it('refuses a state that does not hold the bytes before the offset', async () => {
        const row = new UploadRow();
        row.offset = 5;
        await expect(row.send(node, chunked(Buffer.from('x')))).rejects.toThrow('offset');
      });
    });
  });
}
