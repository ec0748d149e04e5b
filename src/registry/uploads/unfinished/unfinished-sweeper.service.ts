import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Actor } from '../../../access/actor.js';
import { AppConfig } from '../../../config/config.js';
import { UnitOfWork } from '../../../database/unit-of-work.js';
import { SWEEPS } from '../upload-counts.js';
import { PeriodicTask } from '../../../periodic/periodic-task.js';
import { RepoChangesService } from '../../repos/repo-changes.service.js';
import { UploadStore } from '../upload-store.service.js';
import { UnfinishedRepositoriesRepository, type UnfinishedRepository } from './unfinished.repository.js';

/** Between two sweeps. */
const PAUSE_MS = 60_000;
const BATCH = 500;
/** What one sweep looks at most: the next goes on from there. */
const MAX_BATCHES = 10;
/** After so many the database is not well: the next sweep goes on behind them. */
const MAX_FAILURES = 10;
/** Between its last blob and its manifest a push has nothing else in the database, however soon uploads expire. */
const LEAST_SECONDS = 3_600;

const ACTOR: Actor = { principal: 'system:sweep', credential: 'none', address: null };

/** Deletes repositories that pushes began and left: without a manifest, an upload, or content of the last hours. */
@Injectable()
export class UnfinishedSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly contentSeconds: number;
  private readonly task = new PeriodicTask({
    name: 'unfinished-sweep',
    pauseMs: PAUSE_MS,
    failure: 'unfinished repositories are removed later',
    run: () => this.turn(),
  });
  private after = '';

  constructor(
    private readonly unfinished: UnfinishedRepositoriesRepository,
    private readonly uploads: UploadStore,
    private readonly repositories: RepoChangesService,
    private readonly unitOfWork: UnitOfWork,
    { storage }: AppConfig,
  ) {
    this.contentSeconds = Math.max(storage.uploadExpirySeconds, LEAST_SECONDS);
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** Deletes what is over by now, as far as one sweep goes. Throws, at its end, why one could not be deleted. */
  async sweep(): Promise<void> {
    const failures: unknown[] = [];
    for (let batch = 0; batch < MAX_BATCHES && !this.task.signal.aborted; batch++) {
      const { last, over } = await this.unfinished.look(this.after, BATCH, this.contentSeconds);
      for (const repository of over) {
        this.after = repository.path;
        await this.remove(repository).catch((error: unknown) => failures.push(error));
        if (failures.length >= MAX_FAILURES) throw failures[0];
      }
      this.after = last ?? '';
      if (last === null) break;
    }
    if (failures.length > 0) throw failures[0];
  }

  private async turn(): Promise<void> {
    try {
      await this.sweep();
      SWEEPS.add('done');
    } catch (error) {
      SWEEPS.add('failed');
      throw error;
    }
  }

  private async remove(repository: UnfinishedRepository): Promise<void> {
    if (this.task.signal.aborted || this.uploads.hasDraftIn(repository.id)) return;
    await this.unitOfWork.run(async (tx) => {
      if (!(await this.unfinished.lockOver(tx, repository, this.contentSeconds))) return;
      await this.repositories.removeLocked(tx, repository, ACTOR);
    });
  }
}
