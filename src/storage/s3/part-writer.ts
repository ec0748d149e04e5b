import type { AppendOptions, Appended, WriteTarget } from '../blob-store.js';
import type { Multipart, S3State, StoredPart } from '../writer-state.js';
import { bodyChunks } from '../body-reader.js';
import type { MemoryBudget } from '../memory-budget.js';
import { epochKey, type ObjectKey } from '../object-keys.js';
import { ClientPace } from '../../fairness/client-pace.js';
import type { Garbage } from '../../fairness/garbage.js';
import { NODE_SHARE } from '../../fairness/share.js';
import { releaseMemory } from '../../fairness/release-memory.js';
import { ObjectNotFound, ObjectTooLarge, StoreBusy, UploadLost } from '../storage-errors.js';
import { PARTING } from './call-limits.js';
import { PartBuffers } from './part-buffers.js';
import { MAX_PARTS, type PartPlan } from './part-plan.js';
import type { S3Calls } from './s3-calls.js';

/** For one that was ended because others wait. */
const RETRY_AFTER_SECONDS = 10;

export interface Writing {
  readonly calls: S3Calls;
  readonly budget: MemoryBudget;
  readonly plan: PartPlan;
  readonly garbage: Garbage;
}

export function emptyState(): S3State {
  return { driver: 's3', epoch: 0, multipart: null, parts: [], tail: null, stale: [] };
}

export function partsSize(parts: readonly StoredPart[]): number {
  return parts.reduce((sum, { size }) => sum + size, 0);
}

/**
 * The number of the next part in an upload that already counts parts. Writers that were lost since the state was made
 * may have written parts under the next numbers, and each may have one more on its way: the numbers skipped are theirs.
 */
export async function nextPartNumber(calls: S3Calls, base: S3State, multipart: Multipart, epoch: number) {
  const counted = base.parts.at(-1)?.number ?? 0;
  const writers = epoch - base.epoch;
  if (writers <= 1) return counted + 1;
  return (await calls.lastPartNumber(multipart, counted)) + writers;
}

/** The bytes of a tail, each chunk until the next is asked for; `UploadLost` when it is gone or not what the state says. */
export async function* tailBytes(calls: S3Calls, tail: { key: ObjectKey; size: number }, signal?: AbortSignal) {
  let read = 0;
  try {
    for await (const chunk of await calls.read(tail.key, { signal })) {
      read += (chunk as Uint8Array).length;
      if (read > tail.size) break;
      yield chunk as Uint8Array;
      releaseMemory(chunk as Uint8Array);
    }
  } catch (error) {
    throw error instanceof ObjectNotFound ? new UploadLost('the tail of the upload is gone', { cause: error }) : error;
  }
  if (read !== tail.size) throw new UploadLost(`the tail has ${String(read)} of ${String(tail.size)} bytes`);
}

/** Writes one request's body: whole parts as they fill, the rest at the end. One object for one call of `append`. */
export class PartWriter {
  readonly #parts: StoredPart[] = [];
  #multipart: Multipart | null = null;
  #nextNumber = 1;
  #sent = 0;
  #stale: readonly Multipart[];
  readonly #buffers: PartBuffers;
  /** The one part that is being sent while the next one fills. */
  #inFlight: Promise<void> = Promise.resolve();
  readonly #failed = new AbortController();
  readonly #signal: AbortSignal;
  readonly #pace = new ClientPace();
  /** Where in the object the buffer begins. */
  #partOffset: number;

  constructor(
    private readonly writing: Writing,
    private readonly target: WriteTarget,
    private readonly base: S3State,
    private readonly options: AppendOptions,
  ) {
    this.#stale = base.stale;
    this.#partOffset = partsSize(base.parts);
    const progress = {
      isStalled: () => this.#pace.isStalled,
      end: () => {
        this.#failed.abort(new StoreBusy(RETRY_AFTER_SECONDS));
      },
    };
    this.#buffers = new PartBuffers(writing.budget, { share: options.share ?? NODE_SHARE, progress });
    this.#signal = AbortSignal.any([options.signal, this.#failed.signal]);
  }

  async write(body: AsyncIterable<Uint8Array>): Promise<Appended> {
    const { base, options } = this;
    this.#refuseTooLarge(options.expectedBytes ?? 0);
    let bytes = 0;
    try {
      // Before the body is read, and no more than its first bytes need.
      if (options.expectedBytes !== 0) await this.#buffers.open(this.#wantedBytes(), options.signal);
      this.#pace.resume();
      for await (const chunk of bodyChunks(body, { ...options, signal: this.#signal })) {
        if (bytes === 0 && base.tail) await this.#addTail(base.tail);
        bytes += chunk.length;
        this.#refuseTooLarge(bytes);
        this.#pace.moved(chunk.length);
        await this.#add(chunk);
      }
      this.#pace.pause();
      return bytes === 0 ? { state: base, bytes, created: [], obsolete: [] } : await this.#finish(bytes);
    } catch (error) {
      // A call that failed may still be sending, and the memory is another's when this is over.
      this.#failed.abort();
      await this.#inFlight.catch(() => undefined);
      await this.#abortOwn();
      throw error;
    } finally {
      this.#buffers.release();
    }
  }

  #wantedBytes(): number {
    const { offset, expectedBytes } = this.options;
    const planned = this.writing.plan.partBytesAt(this.#partOffset);
    return expectedBytes === null ? planned : Math.min(planned, offset + expectedBytes - this.#partOffset);
  }

  async #addTail(tail: { key: ObjectKey; size: number }): Promise<void> {
    for await (const chunk of tailBytes(this.writing.calls, tail, this.#signal)) await this.#add(chunk);
  }

  async #add(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      if (this.#buffers.isFull) await this.#makeRoom();
      at += this.#buffers.add(chunk.subarray(at));
    }
  }

  /** The client is not to blame for how long this takes. */
  async #makeRoom(): Promise<void> {
    this.#pace.pause();
    const isFirst = this.#sent === 0 && this.#buffers.size < this.#wantedBytes();
    await (isFirst ? this.#buffers.extend(this.#wantedBytes(), this.#signal) : this.#sendBuffer());
    this.#pace.resume();
  }

  async #sendBuffer(): Promise<void> {
    const { base, writing, options } = this;
    // Never two at once: `nextPartNumber` of a later writer counts on it.
    await this.#inFlight;
    const multipart = this.#multipart ?? (await this.#openMultipart());
    // In an upload that earlier requests began, only the row can tell whether this writer was taken over.
    if (base.parts.length > 0) await options.persist(base);
    if (this.#nextNumber > MAX_PARTS) throw new ObjectTooLarge(this.#partOffset);
    const bytes = this.#buffers.content;
    const sent = writing.calls.uploadPart(multipart, this.#nextNumber, bytes, { signal: this.#signal });
    this.#inFlight = sent.then((part) => {
      this.#parts.push(part);
      writing.garbage.add(part.size);
    });
    // It is awaited later: until then a failure must not end the process.
    this.#inFlight.catch(() => undefined);
    this.#nextNumber += 1;
    this.#sent += 1;
    this.#partOffset += bytes.length;
    const wanted = this.#wantedBytes();
    if (wanted > 0 && this.#buffers.trySwap(wanted)) return;
    await this.#inFlight;
    this.#buffers.clear(wanted);
  }

  async #openMultipart(): Promise<Multipart> {
    const { base, writing, target, options } = this;
    if (base.multipart && base.parts.length > 0) {
      this.#nextNumber = await nextPartNumber(writing.calls, base, base.multipart, target.epoch);
      return (this.#multipart = base.multipart);
    }
    // One that counts no part is a lost writer's: with an upload of its own this one cannot meet it.
    if (base.multipart) this.#stale = [...base.stale, base.multipart];
    const key = epochKey(target.key, 0, 'multipart');
    this.#multipart = await writing.calls.createMultipart(key, { signal: this.#signal });
    await options.persist({ ...base, multipart: this.#multipart, stale: this.#stale });
    return this.#multipart;
  }

  async #finish(bytes: number): Promise<Appended> {
    const { base, target, writing } = this;
    const created: ObjectKey[] = [];
    let tail: S3State['tail'] = null;
    if (this.#restIsPart()) await this.#sendBuffer();
    await this.#inFlight;
    const rest = this.#buffers.content;
    if (rest.length > 0) {
      tail = { key: epochKey(target.key, target.epoch), size: rest.length };
      const isWhole = this.options.offset === 0 && rest.length === bytes;
      await writing.calls.put(tail.key, rest, {
        signal: this.#signal,
        sha256Hex: isWhole ? this.options.sha256?.() : null,
      });
      created.push(tail.key);
    }
    const state: S3State = {
      driver: 's3',
      epoch: target.epoch,
      multipart: this.#multipart ?? base.multipart,
      parts: [...base.parts, ...this.#parts],
      tail,
      stale: this.#stale,
    };
    return { state, bytes, created, obsolete: base.tail ? [base.tail.key] : [] };
  }

  #restIsPart(): boolean {
    const { plan } = this.writing;
    const partsBefore = this.base.parts.length + this.#sent;
    const { length } = this.#buffers.content;
    if (length >= plan.partBytesAt(this.#partOffset)) return true;
    return partsBefore > 0 && plan.mayBePart(length, partsBefore);
  }

  #refuseTooLarge(bytes: number): void {
    const { maxObjectBytes } = this.writing.plan;
    if (this.options.offset + bytes > maxObjectBytes) throw new ObjectTooLarge(maxObjectBytes);
  }

  /** What the row may not name, or names for a writer that is gone. What cannot be aborted now `abandon` finds. */
  async #abortOwn(): Promise<void> {
    if (this.#multipart === null || this.#multipart === this.base.multipart) return;
    await this.writing.calls.abortMultipart(this.#multipart, PARTING).catch(() => undefined);
  }
}
