import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { StoredBlobs } from '../../registry/blobs/stored-blobs.js';
import { ApiError } from '../../http/errors/api-error.js';
import type { RunKind, Runner } from './integrity-run.entity.js';
import { type FoundRun, type HeldRun, IntegrityRunsRepository } from './integrity-runs.repository.js';
import { IntegrityTurns } from './integrity-turns.js';

export interface FsckOptions {
  /** Whether every byte is read, and not only the size looked at. */
  readonly hash: boolean;
  readonly bytesPerSecond: number;
  /** Go on with the last run of the same sort, if it did not come to its end. */
  readonly resume: boolean;
}

/** One run at a time, over all nodes and command lines. */
@Injectable()
export class FsckService {
  constructor(
    private readonly runs: IntegrityRunsRepository,
    private readonly blobs: StoredBlobs,
    private readonly turns: IntegrityTurns,
  ) {}

  /** The run that is begun or goes on; `null` while another process holds one. */
  async begin(options: FsckOptions, runner: Runner): Promise<HeldRun | null> {
    const { hash, bytesPerSecond } = options;
    const resumed = options.resume ? await this.runs.resume('fsck', runner, hash, bytesPerSecond) : null;
    if (resumed) return resumed;
    const last = await this.runs.find('fsck');
    if (last?.state === 'running' && !last.isFree) return null;
    const { last: upTo, blobs: totalBlobs, bytes: totalBytes } = await this.blobs.totals();
    const run = { kind: 'fsck', id: randomUUID(), runner, hash, bytesPerSecond } as const;
    return this.runs.begin({ ...run, upTo, totalBlobs, totalBytes }, 0);
  }

  /** In the background of this node; another one goes on if it dies. Throws `conflict`. */
  async start(options: FsckOptions): Promise<FoundRun> {
    const run = await this.begin(options, 'node');
    if (!run) throw new ApiError('conflict', 'a check is going on: follow it, or cancel it first');
    this.turns.launch(run);
    return this.last('fsck');
  }

  /** Throws `notFound` where there was none. */
  async last(kind: RunKind): Promise<FoundRun> {
    const run = await this.runs.find(kind);
    // Before its first pass the scrub has a row that only says when that is due: no pass has a rate of 0.
    if (!run || run.bytesPerSecond === 0) throw new ApiError('notFound');
    return run;
  }

  /** Throws `notFound` when none goes on. It ends within seconds, and can be gone on with. */
  async cancel(): Promise<void> {
    if (!(await this.runs.cancel('fsck'))) throw new ApiError('notFound');
  }
}
