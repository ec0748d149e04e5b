import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Algorithm } from '../../oci/digest.js';
import type { WorkerReply, WorkerRequest } from './hash-protocol.js';
import { HashBatches, HashWorkerEnded, WorkerHash } from './worker-hash.js';

const MAX_WORKERS = Math.min(2, availableParallelism());
// Compiled it lies beside this file as JavaScript; under the tests both are still TypeScript.
const WORKER_FILE = new URL(import.meta.url.endsWith('.ts') ? 'hash-worker.ts' : 'hash-worker.js', import.meta.url);

/** A thread has messages to throw away and little else; left alone it would fill three times the main thread's 16 MB. */
const YOUNG_MEGABYTES = 4;

interface Member {
  readonly worker: Worker;
  readonly jobs: Map<number, WorkerHash>;
}

/**
 * Threads that hash what is large, so that receiving, hashing and writing go on at once, and the event loop is free.
 * They are started when first needed. One that crashes takes its own requests with it and nothing else.
 */
@Injectable()
export class HashWorkers implements OnApplicationShutdown {
  private readonly logger = new Logger(HashWorkers.name);
  private readonly members: Member[] = [];
  private readonly batches = new HashBatches();
  private lastId = 0;

  /** Whether a thread would have a processor of its own; otherwise it only costs. */
  readonly areUseful = availableParallelism() > 1;

  /** A hash that goes on from `state`, or begins, and can be saved. Its owner must `finish` or `discard` it. */
  begin(algorithm: Algorithm, state: Uint8Array | null): WorkerHash {
    return this.open(algorithm, (id) => ({ op: 'begin', id, algorithm, state }));
  }

  /** A hash that is several times as fast and cannot be saved. */
  beginNative(algorithm: Algorithm): WorkerHash {
    return this.open(algorithm, (id) => ({ op: 'beginNative', id, algorithm }));
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.members.splice(0).map(({ worker }) => worker.terminate()));
  }

  private open(algorithm: Algorithm, first: (id: number) => WorkerRequest): WorkerHash {
    const member = this.leastBusy();
    const id = ++this.lastId;
    const send = (request: WorkerRequest, transfer: ArrayBuffer[] = []): void => {
      member.worker.postMessage(request, transfer);
    };
    const hash = new WorkerHash(algorithm, id, send, () => member.jobs.delete(id), this.batches);
    member.jobs.set(id, hash);
    send(first(id));
    return hash;
  }

  private leastBusy(): Member {
    const idle = this.members.find(({ jobs }) => jobs.size === 0);
    if (idle) return idle;
    if (this.members.length < MAX_WORKERS) return this.start();
    return this.members.reduce((least, member) => (member.jobs.size < least.jobs.size ? member : least));
  }

  private start(): Member {
    const worker = new Worker(WORKER_FILE, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES } });
    const member: Member = { worker, jobs: new Map() };
    worker.unref();
    worker.on('message', (reply: WorkerReply) => {
      // Also from a job that was discarded meanwhile.
      if (reply.kind === 'updated') this.batches.give(reply.bytes);
      member.jobs.get(reply.id)?.take(reply);
    });
    worker.on('error', (error) => {
      this.logger.error({ error: String(error), message: 'a hash worker crashed' });
    });
    worker.on('exit', () => {
      this.lose(member);
    });
    this.members.push(member);
    return member;
  }

  private lose(member: Member): void {
    const at = this.members.indexOf(member);
    if (at !== -1) this.members.splice(at, 1);
    for (const hash of [...member.jobs.values()]) hash.fail(new HashWorkerEnded());
  }
}
