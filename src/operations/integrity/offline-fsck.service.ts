import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobDamage } from '../../registry/blobs/damage/blob-damage.service.js';
import { ApiError } from '../../http/errors/api-error.js';
import { type FsckOptions, FsckService } from './fsck.service.js';
import { type HeldRun, IntegrityRunsRepository, LEASE_SECONDS, type Progress } from './integrity-runs.repository.js';
import { IntegrityWalk, StoreNotUsable } from './integrity-walk.service.js';
import type { Watcher } from './walk-progress.js';

const ASK_MS = 500;
/** A run of a process that was killed has its lease so long; the database's clock decides. */
const PATIENCE_MS = (LEASE_SECONDS + 5) * 1_000;

/** How far a run is, with what there was at its beginning. */
export type OfflineProgress = Pick<HeldRun, 'hash' | 'totalBlobs' | 'totalBytes'> &
  Omit<Progress, 'position' | 'reading'>;

export interface OfflineWatcher extends Pick<Watcher, 'unchecked'> {
  moved(progress: OfflineProgress): void;
}

/** A check by a process that is no node: the command line's. */
@Injectable()
export class OfflineFsck {
  constructor(
    private readonly fsck: FsckService,
    private readonly runs: IntegrityRunsRepository,
    private readonly walk: IntegrityWalk,
    private readonly damage: BlobDamage,
  ) {}

  /** To its end; the next one goes on where this one throws. Throws `ApiError` while another process checks. */
  async run(options: FsckOptions, stop: AbortSignal, watcher: OfflineWatcher): Promise<OfflineProgress> {
    const run = await this.begin(options, stop);
    const shown = ({ position: _, reading, ...counts }: Progress): OfflineProgress => {
      const { hash, totalBlobs, totalBytes } = run;
      return { hash, totalBlobs, totalBytes, ...counts, bytes: counts.bytes + (reading?.bytes ?? 0) };
    };
    const unchecked: Watcher['unchecked'] = (blob, reason) => {
      watcher.unchecked(blob, reason);
    };
    const moved: Watcher['moved'] = (progress) => {
      watcher.moved(shown(progress));
    };
    try {
      return shown(await this.walk.run(run, stop, { moved, unchecked }));
    } catch (error) {
      const problem = error instanceof StoreNotUsable ? error.message : null;
      await this.runs.finish(run, stop.aborted ? 'cancelled' : 'failed', problem).catch(() => undefined); // or its lease ends
      throw error;
    }
  }

  /** Marked blobs after that id, in the order of their ids. */
  damaged(after: number, limit: number): ReturnType<BlobDamage['list']> {
    return this.damage.list(after, limit);
  }

  private async begin(options: FsckOptions, stop: AbortSignal): Promise<HeldRun> {
    for (const since = Date.now(); Date.now() - since < PATIENCE_MS;) {
      const run = await this.fsck.begin(options, 'cli');
      if (run) return run;
      await sleep(ASK_MS, undefined, { signal: stop });
    }
    throw new ApiError(
      'conflict',
      'a check is going on elsewhere: wait for it, or cancel it with DELETE /api/v1/admin/fsck',
    );
  }
}
