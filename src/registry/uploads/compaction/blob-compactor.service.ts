import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { withoutShare } from '../../../fairness/current-share.js';
import { COUNTERS } from '../../../http/counters.js';
import { BlobStore, type Compaction } from '../../../storage/blob-store.js';
import { objectKeyOf, parseObjectKey } from '../../../storage/object-keys.js';
import { ObjectSizeDiffers } from '../../../storage/storage-errors.js';
import { BlobDamage } from '../../blobs/damage/blob-damage.service.js';
import { CompactionsRepository, type PendingCompaction } from './compactions.repository.js';

/** Between two looks at what other nodes left; each node adds a part of it by chance. */
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
  private readonly stopped = new AbortController();
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> | null = null;

  constructor(
    private readonly compactions: CompactionsRepository,
    private readonly store: BlobStore,
    private readonly damage: BlobDamage,
  ) {}

  onApplicationBootstrap(): void {
    if (this.store.compaction) this.schedule();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped.abort(new Error('the node stops'));
    if (this.timer) clearTimeout(this.timer);
    await this.running;
  }

  /** Joins what waits. Resolves when nothing is left that is due; a call during another one has its result. */
  wake(): Promise<void> {
    const { compaction } = this.store;
    if (!compaction) return Promise.resolve();
    this.running ??= withoutShare(() => this.work(compaction)).finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private schedule(): void {
    if (this.stopped.signal.aborted) return;
    const pause = PAUSE_MS * (1 + Math.random());
    this.timer = setTimeout(() => {
      void this.wake().then(() => {
        this.schedule();
      });
    }, pause).unref();
  }

  /** Never throws. */
  private async work(compaction: Compaction): Promise<void> {
    try {
      while (!this.stopped.signal.aborted) {
        const pending = await this.compactions.take(LEASE_SECONDS);
        if (!pending) return;
        await this.join(compaction, pending);
      }
    } catch (error) {
      this.logger.warn({ error: String(error), message: 'blobs in several files are joined later' });
    }
  }

  private async join(compaction: Compaction, pending: PendingCompaction): Promise<void> {
    const { id, epoch, objectKey, blob } = pending;
    const lost = new AbortController();
    const timer = setInterval(() => void this.renew(id, epoch, lost), (LEASE_SECONDS * 1000) / 3).unref();
    const signal = AbortSignal.any([lost.signal, this.stopped.signal]);
    try {
      const target = { key: objectKeyOf(id), epoch };
      const options = { signal, bytesPerSecond: BYTES_PER_SECOND };
      if (blob) await compaction.compact(target, parseObjectKey(objectKey), options);
      await this.compactions.finish(id, epoch, blob ? EXPIRY_SECONDS : 0);
      if (blob) COUNTERS.compactions.add('done');
    } catch (error) {
      if (lost.signal.aborted) return;
      const isStopping = this.stopped.signal.aborted;
      if (!isStopping) {
        COUNTERS.compactions.add('failed');
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
