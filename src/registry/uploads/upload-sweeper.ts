import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DIRECT_UPLOADS, STREAMED_UPLOADS, SWEEPS } from './upload-counts.js';
import { PeriodicTask } from '../../periodic/periodic-task.js';
import { BlobStore } from '../../storage/blob-store.js';
import { objectKeyOf, parseObjectKey } from '../../storage/object-keys.js';
import { type ExpiredUpload, SweepRepository } from './sweep.repository.js';

const PAUSE_MS = 5_000;
const BATCH = 100;
const AT_ONCE = 8;
/** What one sweep removes at most: the rest waits for the next, on this node or another. */
const MAX_BATCHES = 10;
const LEASE_SECONDS = 300;

/**
 * Removes what expired uploads leave behind: unfinished ones, ended ones whose bytes could not be removed then, and
 * done ones, with the object that lost a race for a digest.
 */
@Injectable()
export class UploadSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly task = new PeriodicTask({
    name: 'upload-sweep',
    pauseMs: PAUSE_MS,
    failure: 'expired uploads are removed later',
    run: () => this.turn(),
  });

  constructor(
    private readonly uploads: SweepRepository,
    private readonly store: BlobStore,
  ) {}

  onApplicationBootstrap(): void {
    this.task.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** Removes what has expired by now, as far as one sweep goes. */
  async sweep(): Promise<void> {
    for (let batch = 0; batch < MAX_BATCHES && !this.task.signal.aborted; batch++) {
      const expired = await this.uploads.take(BATCH, LEASE_SECONDS);
      for (const { wasOpen, isDirect } of expired)
        if (wasOpen) (isDirect ? DIRECT_UPLOADS : STREAMED_UPLOADS).add('expired');
      for (let from = 0; from < expired.length; from += AT_ONCE) await this.clear(expired.slice(from, from + AT_ONCE));
      if (expired.length < BATCH) return;
    }
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

  /** A row goes only after the bytes that it names. */
  private async clear(uploads: readonly ExpiredUpload[]): Promise<void> {
    const results = await Promise.allSettled(uploads.map((upload) => this.abandon(upload)));
    const failed = results.find((result) => result.status === 'rejected');
    await this.uploads.remove(uploads.filter((_, index) => results[index]?.status === 'fulfilled'));
    if (failed) throw failed.reason;
  }

  private async abandon({ id, epoch, writer, objectKey, isKept }: ExpiredUpload): Promise<void> {
    const keep = isKept && objectKey !== null ? parseObjectKey(objectKey) : undefined;
    await this.store.abandon({ key: objectKeyOf(id), epoch }, writer, keep);
  }
}
