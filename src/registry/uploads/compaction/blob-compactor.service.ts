import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { COMPACTIONS } from '../upload-counts.js';
import { PeriodicTask } from '../../../periodic/periodic-task.js';
import { BlobStore, type Compaction } from '../../../storage/blob-store.js';
import { objectKeyOf, parseObjectKey } from '../../../storage/object-keys.js';
import { ObjectSizeDiffers } from '../../../storage/storage-errors.js';
import { BlobDamage } from '../../blobs/damage/blob-damage.service.js';
import { CompactionsRepository, type PendingCompaction } from './compactions.repository.js';

/** Between two looks at what other nodes left. */
const PAUSE_MS = 5_000;
const LEASE_SECONDS = 60;
/** After a failure, such as a disk without room for one more copy. */
const RETRY_SECONDS = 600;
/** After one that time does not mend: files of the blob are lost. */
const DAMAGED_RETRY_SECONDS = 24 * 3600;
/** How long the row answers a repeated closing PUT afterwards. */
const EXPIRY_SECONDS = 600;
const BYTES_PER_SECOND = 64 * 1024 * 1024;

/**
 * Makes one file of blobs that came in several. One at a time in each process, so that a disk needs room for one copy
 * and requests have most of its time. The done upload's row says what is to be joined, and keeps the parts from the
 * sweep and the reconcile of every version until it is.
 */
@Injectable()
export class BlobCompactor implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(BlobCompactor.name);
  private readonly task = new PeriodicTask({
    name: 'blob-compaction',
    pauseMs: PAUSE_MS,
    failure: 'blobs in several files are joined later',
    run: (signal) => this.work(signal),
  });

  constructor(
    private readonly compactions: CompactionsRepository,
    private readonly store: BlobStore,
    private readonly damage: BlobDamage,
  ) {}

  onApplicationBootstrap(): void {
    if (this.store.compaction) this.task.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** Joins what waits. Resolves when nothing is left that is due. */
  wake(): Promise<void> {
    return this.task.now();
  }

  private async work(signal: AbortSignal): Promise<void> {
    const { compaction } = this.store;
    while (compaction && !signal.aborted) {
      const pending = await this.compactions.take(LEASE_SECONDS);
      if (!pending) return;
      await this.join(compaction, pending);
    }
  }

  private async join(compaction: Compaction, pending: PendingCompaction): Promise<void> {
    const { id, epoch, objectKey, blob } = pending;
    const lost = new AbortController();
    const timer = setInterval(() => void this.renew(id, epoch, lost), (LEASE_SECONDS * 1000) / 3).unref();
    const signal = AbortSignal.any([lost.signal, this.task.signal]);
    try {
      const target = { key: objectKeyOf(id), epoch };
      const options = { signal, bytesPerSecond: BYTES_PER_SECOND };
      if (blob) await compaction.compact(target, parseObjectKey(objectKey), options);
      await this.compactions.finish(id, epoch, blob ? EXPIRY_SECONDS : 0);
      if (blob) COMPACTIONS.add('done');
    } catch (error) {
      if (lost.signal.aborted) return;
      const isStopping = this.task.signal.aborted;
      if (!isStopping) {
        COMPACTIONS.add('failed');
        this.logger.warn({ upload: id, error: String(error), message: 'a blob stays in several files for now' });
      }
      const seconds = isStopping ? 0 : await this.pauseAfter(error, pending);
      await this.compactions.move(id, epoch, seconds).catch(() => undefined); // or the lease ends
    } finally {
      clearInterval(timer);
    }
  }

  /** A blob of which files are lost is marked here: nothing else may ask for it for years. Never throws. */
  private async pauseAfter(error: unknown, { blob, objectKey: storageKey }: PendingCompaction): Promise<number> {
    if (!(error instanceof ObjectSizeDiffers) || !blob) return RETRY_SECONDS;
    const isWhole = await this.damage.isWhole({ ...blob, storageKey }, 'scrub').catch((failure: unknown) => {
      this.logger.warn({ storageKey, error: String(failure), message: 'a damaged blob is marked later' });
      return true;
    });
    return isWhole ? RETRY_SECONDS : DAMAGED_RETRY_SECONDS;
  }

  private async renew(id: string, epoch: number, lost: AbortController): Promise<void> {
    try {
      if (!(await this.compactions.move(id, epoch, LEASE_SECONDS)))
        lost.abort(new Error('another node joins the blob'));
    } catch (error) {
      this.logger.warn({ upload: id, error: String(error), message: 'the lease on a blob could not be renewed' });
    }
  }
}
