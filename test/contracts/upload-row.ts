import { randomUUID } from 'node:crypto';
import type { AppendOptions, BlobStore, WriteTarget, CompactionOptions } from '../../src/storage/blob-store.js';
import { objectKeyOf, type ObjectKey } from '../../src/storage/object-keys.js';
import type { WriterState } from '../../src/storage/writer-state.js';

/** One upload as the registry drives it: the row is this object. */
export class UploadRow {
  readonly key = objectKeyOf(randomUUID());
  epoch = 0;
  offset = 0;
  state: WriterState | null = null;
  isSplit = false;

  claim(): WriteTarget {
    this.epoch += 1;
    return { key: this.key, epoch: this.epoch };
  }

  /** One request, claimed, written by the node, and saved as JSON when its epoch is still the row's. */
  async send(
    node: BlobStore,
    body: AsyncIterable<Uint8Array>,
    options: Partial<AppendOptions> = {},
    claimed: { target: WriteTarget; offset: number; state: WriterState | null } = this.begin(),
  ): Promise<boolean> {
    const { target, offset, state } = claimed;
    const appended = await node.append(target, state, body, {
      offset,
      expectedBytes: null,
      signal: new AbortController().signal,
      persist: (interim) => this.save(target.epoch, interim),
      ...options,
    });
    try {
      await this.save(target.epoch, appended.state);
    } catch {
      await node.delete(appended.created);
      return false;
    }
    this.offset = offset + appended.bytes;
    await node.delete(appended.obsolete);
    return true;
  }

  begin(): { target: WriteTarget; offset: number; state: WriterState | null } {
    return { target: this.claim(), offset: this.offset, state: this.state };
  }

  /** An object that is in several files stays so: `compact` joins it. */
  async commit(node: BlobStore): Promise<ObjectKey> {
    const { key, isSplit, obsolete } = await node.complete(this.claim(), this.state);
    this.isSplit = isSplit;
    await node.delete(obsolete);
    return key;
  }

  async compact(node: BlobStore, key: ObjectKey, options: Partial<CompactionOptions> = {}): Promise<void> {
    const all = { signal: new AbortController().signal, bytesPerSecond: Infinity, ...options };
    if (this.isSplit) await node.compaction?.compact(this.claim(), key, all);
  }

  private save(epoch: number, state: WriterState | null): Promise<void> {
    if (epoch !== this.epoch) return Promise.reject(new Error('the epoch is lost'));
    this.state = JSON.parse(JSON.stringify(state)) as WriterState | null;
    return Promise.resolve();
  }
}

/** Every chunk comes in the memory of the one before: what a driver keeps of it, it has to copy. */
export function chunked(bytes: Buffer, size = 64 * 1024): AsyncIterable<Uint8Array> {
  return (async function* () {
    const memory = Buffer.alloc(Math.min(size, bytes.length));
    for (let at = 0; at < bytes.length; at += size) {
      await Promise.resolve();
      yield memory.subarray(0, bytes.copy(memory, 0, at, at + size));
    }
  })();
}

export async function contentOf(
  node: BlobStore,
  key: ObjectKey,
  range?: { first: number; last: number },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await node.open(key, range ? { range } : {})) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
