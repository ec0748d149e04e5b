import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { AppConfig } from '../../config/config.js';
import { Allotment } from '../../fairness/allotment.js';
import { FAIRNESS } from '../../fairness/fairness-counts.js';
import type { Share } from '../../fairness/share.js';
import { type OciCondition, OciError } from '../../oci/oci-error.js';
import { PeriodicTask } from '../../periodic/periodic-task.js';
import { PushRights } from '../v2/push-rights.service.js';
import { ObjectNotFound, UploadLost } from '../../storage/storage-errors.js';
import { DirectBytes } from './direct-bytes.service.js';
import { DirectUploadEnd } from './direct-upload-end.service.js';
import type { FailureReason } from './direct-failures.js';
import { type Busy, DirectUploadsRepository, type Verification } from './direct-uploads.repository.js';
import { UploadCommit } from '../uploads/upload-commit.service.js';

/** Between two looks at what other nodes left or could not take. */
const PAUSE_MS = 5_000;
/** Uploads that a node reads at once. One tenant has half of them: as many as there are threads to hash them. */
const AT_ONCE = 4;
/** Waiting uploads that the metric tells apart. */
const MAX_COUNTED = 1_000;
const LEASE_SECONDS = 60;
const RENEW_MS = (LEASE_SECONDS * 1_000) / 3;
/** After a store that failed. */
const RETRY_SECONDS = 15;
/** Refusals of the commit: the repository was deleted while its bytes were read, or its client may not push any more. */
const HAS_NO_PLACE: ReadonlySet<OciCondition> = new Set(['nameUnknown', 'denied']);

/**
 * Reads once what the store does not prove by itself, and makes a blob of it or ends it. Whichever node has room takes
 * an upload on, for a lease that it renews: when it dies another one reads from the beginning.
 */
@Injectable()
export class UploadVerifier implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(UploadVerifier.name);
  private readonly running = new Map<Promise<void>, Verification>();
  private readonly places = new Allotment({ resource: 'verifications', total: AT_ONCE });
  private readonly task = new PeriodicTask({
    name: 'upload-verification',
    pauseMs: PAUSE_MS,
    failure: 'direct uploads are read later',
    run: async () => {
      await this.fill();
      await this.count();
    },
  });
  private readonly expirySeconds: number;

  constructor(
    private readonly uploads: DirectUploadsRepository,
    private readonly bytes: DirectBytes,
    private readonly ends: DirectUploadEnd,
    private readonly commits: UploadCommit,
    private readonly rights: PushRights,
    { storage }: AppConfig,
  ) {
    this.expirySeconds = storage.uploadExpirySeconds;
  }

  onApplicationBootstrap(): void {
    if (this.bytes.arePossible) this.task.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.task.stop();
    await Promise.all(this.running.keys());
  }

  /** Takes what waits, as far as there is room; resolves when it is taken, not when it is read. */
  wake(): Promise<void> {
    return this.task.now();
  }

  private async fill(): Promise<void> {
    // Who has as many as it may within its namespace, though either of both has room beside others.
    const full = new Set<string>();
    while (this.places.free > 0 && !this.task.signal.aborted) {
      const [upload] = await this.uploads.take(1, LEASE_SECONDS, this.busy(full));
      if (!upload) return;
      const place = this.places.tryTake(shareOf(upload), 1);
      if (!place) {
        full.add(upload.principal);
        await this.uploads.release(upload.id, upload.epoch, 0);
        continue;
      }
      const run = this.verify(upload).finally(() => {
        place.release();
        this.running.delete(run);
        if (!this.task.signal.aborted) void this.wake();
      });
      this.running.set(run, upload);
    }
  }

  /** For the metrics: what waits while nothing is read here is there for another node, or not for long. */
  private async count(): Promise<void> {
    const waiting = this.running.size === 0 ? 0 : await this.uploads.countWaiting(MAX_COUNTED);
    FAIRNESS.waiting.set('verifications', waiting);
  }

  private busy(full: ReadonlySet<string>): Busy {
    const running = [...this.running.values()].map((upload) => ({ ...shareOf(upload), upload }));
    const { places } = this;
    return {
      namespaces: running
        .filter(({ namespace }) => !places.hasRoom({ namespace, principal: NONE }, 1))
        .map(({ upload }) => namespaceIdOf(upload)),
      principals: running
        .map(({ principal }) => principal)
        .filter((principal) => !places.hasRoom({ namespace: NONE, principal }, 1))
        .concat(...full),
    };
  }

  /** Never throws: what cannot be judged now is given back. */
  private async verify(upload: Verification): Promise<void> {
    const { id, epoch } = upload;
    const lost = new AbortController();
    const timer = setInterval(() => void this.renew(upload, lost), RENEW_MS).unref();
    try {
      const reason = await this.judge(upload, AbortSignal.any([lost.signal, this.task.signal]));
      const isEnded = reason !== null && (await this.ends.fail(upload, reason));
      if (!isEnded) await this.clear(upload);
    } catch (error) {
      if (lost.signal.aborted) {
        await this.clear(upload);
        return;
      }
      const isStopping = this.task.signal.aborted;
      if (!isStopping) this.logger.warn({ upload: id, error: String(error), message: 'an upload is read again later' });
      await this.uploads.release(id, epoch, isStopping ? 0 : RETRY_SECONDS).catch(() => undefined); // or the lease ends
    } finally {
      clearInterval(timer);
    }
  }

  /** `null` when it is a blob now, or another node has claimed it. */
  private async judge(upload: Verification, signal: AbortSignal): Promise<FailureReason | null> {
    const { id, epoch, digest, direct, repository, principal, credential } = upload;
    if (!repository) return 'repositoryGone';
    try {
      const key = await this.bytes.objectOf(upload);
      const reason = await this.bytes.read(upload, key, signal);
      if (reason) return reason;
      const actor = { principal, credential, address: direct.address };
      const authorization = this.rights.of(upload, repository);
      await this.commits.commit({ id, epoch, repository, authorization, digest, size: direct.size, key, actor });
      return null;
    } catch (error) {
      if (error instanceof OciError && HAS_NO_PLACE.has(error.condition)) return 'repositoryGone';
      if (error instanceof UploadLost || error instanceof ObjectNotFound) return 'bytesLost';
      throw error;
    }
  }

  /** Its client may have cancelled it while the parts were joined: then the object came after everything had gone. */
  private async clear(upload: Verification): Promise<void> {
    const hasFailed = await this.uploads.hasFailed(upload.id).catch(() => false);
    if (hasFailed) await this.ends.remove(upload);
  }

  private async renew({ id, epoch }: Verification, lost: AbortController): Promise<void> {
    try {
      const isHeld = await this.uploads.renew(id, epoch, LEASE_SECONDS, this.expirySeconds);
      if (!isHeld) lost.abort(new Error('the upload has ended, or another node reads it'));
    } catch (error) {
      this.logger.warn({ upload: id, error: String(error), message: 'the lease on an upload could not be renewed' });
    }
  }
}

/** Neither a namespace's id nor a principal. */
const NONE = 'none';

function namespaceIdOf({ repository }: Verification): number {
  return repository?.namespaceId ?? 0;
}

function shareOf(upload: Verification): Share {
  return { namespace: String(namespaceIdOf(upload)), principal: upload.principal };
}
