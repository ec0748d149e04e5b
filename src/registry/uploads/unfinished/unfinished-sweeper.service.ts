import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { Actor } from '../../../access/actor.js';
import { AppConfig } from '../../../config/config.js';
import { UnitOfWork } from '../../../database/unit-of-work.js';
import { COUNTERS } from '../../../http/counters.js';
import { RepoChangesService } from '../../repos/repo-changes.service.js';
import { UnfinishedRepositoriesRepository, type UnfinishedRepository } from './unfinished.repository.js';

/** Between two sweeps; each node adds a part of it by chance. */
const PAUSE_MS = 60_000;
const BATCH = 500;
/** What one sweep looks at most: the next goes on from there. */
const MAX_BATCHES = 10;

const ACTOR: Actor = { principal: 'system:sweep', credential: 'none', address: null };

/** Deletes repositories that pushes began and left: without a manifest, an upload, or content of the last hours. */
@Injectable()
export class UnfinishedSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(UnfinishedSweeper.name);
  private readonly contentSeconds: number;
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private isStopped = false;
  private after = '';

  constructor(
    private readonly unfinished: UnfinishedRepositoriesRepository,
    private readonly repositories: RepoChangesService,
    private readonly unitOfWork: UnitOfWork,
    { storage }: AppConfig,
  ) {
    this.contentSeconds = storage.uploadExpirySeconds;
  }

  onApplicationBootstrap(): void {
    this.schedule();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    if (this.timer) clearTimeout(this.timer);
    await this.running;
  }

  /** Deletes what is over by now, as far as one sweep goes. */
  async sweep(): Promise<void> {
    for (let batch = 0; batch < MAX_BATCHES && !this.isStopped; batch++) {
      const { last, over } = await this.unfinished.look(this.after, BATCH, this.contentSeconds);
      for (const repository of over) await this.remove(repository);
      this.after = last ?? '';
      if (last === null) return;
    }
  }

  private schedule(): void {
    if (this.isStopped) return;
    this.timer = setTimeout(
      () => {
        this.running = this.turn();
        void this.running.then(() => {
          this.schedule();
        });
      },
      PAUSE_MS * (1 + Math.random()),
    ).unref();
  }

  private async turn(): Promise<void> {
    try {
      await this.sweep();
      COUNTERS.sweeps.add('done');
    } catch (error) {
      COUNTERS.sweeps.add('failed');
      this.logger.warn({ error: String(error), message: 'unfinished repositories are removed later' });
    }
  }

  private async remove(repository: UnfinishedRepository): Promise<void> {
    if (this.isStopped) return;
    await this.unitOfWork.run(async (tx) => {
      if (!(await this.unfinished.lockOver(tx, repository, this.contentSeconds))) return;
      await this.repositories.removeLocked(tx, repository, ACTOR);
    });
  }
}
