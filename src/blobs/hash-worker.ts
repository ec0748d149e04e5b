import { parentPort } from 'node:worker_threads';
import { createSHA256, createSHA512, type IHasher } from 'hash-wasm';
import type { WorkerReply, WorkerRequest } from './hash-protocol.js';

// The tests run this file as it stands, by Node's type stripping: it imports types and packages only.

const HASHERS: Record<string, IHasher> = { sha256: await createSHA256(), sha512: await createSHA512() };
const port = parentPort;
if (!port) throw new Error('a worker thread has a parent');

interface Job {
  readonly hasher: IHasher;
  /** Where it was when another job of the same algorithm took the hasher over. */
  state: Uint8Array | null;
}

const jobs = new Map<number, Job>();
const holders = new Map<IHasher, Job>();

/** One instance serves all jobs of its algorithm, by saving one state and loading another. */
function take(job: Job): IHasher {
  const { hasher } = job;
  const holder = holders.get(hasher);
  if (holder === job) return hasher;
  if (holder) holder.state = hasher.save();
  if (job.state) hasher.load(job.state);
  else hasher.init();
  holders.set(hasher, job);
  return hasher;
}

function find(id: number): Job {
  const job = jobs.get(id);
  if (!job) throw new Error('no such job');
  return job;
}

function end(id: number): void {
  const job = jobs.get(id);
  jobs.delete(id);
  if (job && holders.get(job.hasher) === job) holders.delete(job.hasher);
}

function answer(request: WorkerRequest): WorkerReply | null {
  switch (request.op) {
    case 'begin': {
      const hasher = HASHERS[request.algorithm];
      if (!hasher) throw new Error('no such algorithm');
      jobs.set(request.id, { hasher, state: request.state });
      return null;
    }
    case 'update':
      take(find(request.id)).update(request.bytes.subarray(0, request.length));
      return { id: request.id, kind: 'updated', bytes: request.bytes };
    case 'finish': {
      const hasher = take(find(request.id));
      const state = hasher.save();
      const hash = hasher.digest('binary');
      end(request.id);
      return { id: request.id, kind: 'finished', state, hash };
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
