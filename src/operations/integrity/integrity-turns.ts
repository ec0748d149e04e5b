import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { StoredBlobs } from '../../registry/blobs/stored-blobs.js';
import { AppConfig } from '../../config/config.js';
import { INTEGRITY_RUNS } from './integrity-counts.js';
import { PeriodicTask } from '../../periodic/periodic-task.js';
import { type HeldRun, IntegrityRunsRepository, type Progress } from './integrity-runs.repository.js';
import { IntegrityWalk, RunLost, StoreNotUsable } from './integrity-walk.service.js';

/** Between two looks at what there is to do. */
const PAUSE_MS = 10_000;
/** Between the beginnings of two passes of the scrub: a small registry is not read all day. */
const PASS_SECONDS = 86_400;
/** Before the first pass of all, which would else be over before there is a blob. */
const FIRST_PASS_SECONDS = 600;
/** After a store that is not ours or does not answer, and after an error of the database. */
const RETRY_SECONDS = { store: 600, database: 30 } as const;

/** Has this process check blobs when it is time and no other one does: passes of the scrub, and each fsck of nodes. */
@Injectable()
export class IntegrityTurns implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(IntegrityTurns.name);
  private readonly scrubRate: number;
  private readonly running = new Set<Promise<void>>();
  private readonly task = new PeriodicTask({
    name: 'integrity-look',
    pauseMs: PAUSE_MS,
    failure: 'checks of the blobs are looked for later',
    run: () => this.look(),
  });
  private isSeeded = false;

  constructor(
    private readonly runs: IntegrityRunsRepository,
    private readonly walk: IntegrityWalk,
    private readonly blobs: StoredBlobs,
    { storage }: AppConfig,
  ) {
    this.scrubRate = storage.scrubBytesPerSecond;
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.task.stop();
    await Promise.all(this.running);
  }

  /** Goes through a run that this process holds, in the background. */
  launch(run: HeldRun): void {
    const work = this.go(run).finally(() => this.running.delete(work));
    this.running.add(work);
  }

  private async look(): Promise<void> {
    if (this.scrubRate > 0 && !this.isSeeded) await this.runs.seedScrub(PASS_SECONDS - FIRST_PASS_SECONDS);
    this.isSeeded = true;
    for (const { kind, isRunning } of await this.runs.due(PASS_SECONDS)) {
      if (kind === 'scrub' && this.scrubRate === 0) continue;
      const run = isRunning ? await this.runs.takeOver(kind) : await this.beginPass();
      if (run) this.launch(run.kind === 'scrub' ? { ...run, bytesPerSecond: this.scrubRate } : run);
    }
  }

  private async beginPass(): Promise<HeldRun | null> {
    const { last: upTo, blobs: totalBlobs, bytes: totalBytes } = await this.blobs.totals();
    const pass = { kind: 'scrub', id: randomUUID(), runner: 'node', hash: true } as const;
    return this.runs.begin({ ...pass, bytesPerSecond: this.scrubRate, upTo, totalBlobs, totalBytes }, PASS_SECONDS);
  }

  /** Never throws: what cannot go on now is left to whichever node comes next. */
  private async go(run: HeldRun): Promise<void> {
    try {
      this.done(run, await this.walk.run(run, this.task.signal));
    } catch (error) {
      if (error instanceof RunLost) return;
      // Without the database the lease ends by itself.
      await this.interrupted(run, error).catch((failure: unknown) => {
        this.logger.warn({ run: run.kind, error: String(failure), message: 'a check of the blobs is left as it is' });
      });
    }
  }

  private done({ kind, hash }: HeldRun, { blobs, bytes, damaged, healed, unchecked }: Progress): void {
    INTEGRITY_RUNS.add(`${kind}-done`);
    const counts = { blobs, bytes, damaged, healed, unchecked };
    this.logger.log({ event: 'blobs-checked', run: kind, hash, ...counts, message: 'all blobs were checked' });
  }

  private async interrupted(run: HeldRun, error: unknown): Promise<void> {
    if (this.task.signal.aborted) return this.runs.release(run, 0, null);
    const { kind } = run;
    const isStore = error instanceof StoreNotUsable;
    const problem = isStore ? error.message : 'the database failed';
    const outcome = isStore && error.isForeign ? 'foreign' : 'failed';
    INTEGRITY_RUNS.add(`${kind}-${outcome}`);
    const event = outcome === 'foreign' ? 'foreign-store' : 'check-failed';
    this.logger.error({ event, run: kind, error: String(error), message: 'a check of the blobs could not go on' });
    if (kind === 'fsck' && isStore) return this.runs.finish(run, 'failed', problem);
    return this.runs.release(run, isStore ? RETRY_SECONDS.store : RETRY_SECONDS.database, problem);
  }
}
