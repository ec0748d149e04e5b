import { createHash, type Hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { createSHA256, createSHA512, type IHasher } from 'hash-wasm';
import type { WorkerReply, WorkerRequest } from './hash-protocol.js';

// The tests run this file as it stands, by Node's type stripping: it imports types and packages only.

const HASHERS: Record<string, IHasher> = { sha256: await createSHA256(), sha512: await createSHA512() };
const port = parentPort;
if (!port) throw new Error('a worker thread has a parent');

interface Job {
  update(bytes: Uint8Array): void;
  finish(): { readonly state: Uint8Array | null; readonly hash: Uint8Array };
  end(): void;
}

const jobs = new Map<number, Job>();

class NativeJob implements Job {
  private readonly hash: Hash;

  constructor(algorithm: string) {
    this.hash = createHash(algorithm);
  }

  update(bytes: Uint8Array): void {
    this.hash.update(bytes);
  }

  finish(): { state: null; hash: Uint8Array } {
    return { state: null, hash: this.hash.digest() };
  }

  end(): void {
    // Nothing is held outside of this object.
  }
}

/** One instance of the library serves all jobs of its algorithm, by saving one state and loading another. */
class SavedJob implements Job {
  private static readonly holders = new Map<IHasher, SavedJob>();
  private readonly hasher: IHasher;
  /** Where it was when another job took the hasher over. */
  private state: Uint8Array | null;

  constructor(algorithm: string, state: Uint8Array | null) {
    const hasher = HASHERS[algorithm];
    if (!hasher) throw new Error('no such algorithm');
    this.hasher = hasher;
    this.state = state;
  }

  update(bytes: Uint8Array): void {
    this.take().update(bytes);
  }

  finish(): { state: Uint8Array; hash: Uint8Array } {
    const hasher = this.take();
    return { state: hasher.save(), hash: hasher.digest('binary') };
  }

  end(): void {
    if (SavedJob.holders.get(this.hasher) === this) SavedJob.holders.delete(this.hasher);
  }

  private take(): IHasher {
    const holder = SavedJob.holders.get(this.hasher);
    if (holder === this) return this.hasher;
    if (holder) holder.state = holder.hasher.save();
    if (this.state) this.hasher.load(this.state);
    else this.hasher.init();
    SavedJob.holders.set(this.hasher, this);
    return this.hasher;
  }
}

function find(id: number): Job {
  const job = jobs.get(id);
  if (!job) throw new Error('no such job');
  return job;
}

function end(id: number): void {
  jobs.get(id)?.end();
  jobs.delete(id);
}

function answer(request: WorkerRequest): WorkerReply | null {
  switch (request.op) {
    case 'beginNative':
      jobs.set(request.id, new NativeJob(request.algorithm));
      return null;
    case 'begin':
      jobs.set(request.id, new SavedJob(request.algorithm, request.state));
      return null;
    case 'update':
      find(request.id).update(request.bytes.subarray(0, request.length));
      return { id: request.id, kind: 'updated', bytes: request.bytes };
    case 'finish': {
      const result = find(request.id).finish();
      end(request.id);
      return { id: request.id, kind: 'finished', ...result };
    }
    case 'discard':
      end(request.id);
      return null;
  }
}

port.on('message', (request: WorkerRequest) => {
  let reply: WorkerReply | null;
  try {
    reply = answer(request);
  } catch (error) {
    end(request.id);
    reply = { id: request.id, kind: 'failed', message: String(error) };
  }
  if (reply?.kind === 'updated') port.postMessage(reply, [reply.bytes.buffer]);
  else if (reply) port.postMessage(reply);
});
