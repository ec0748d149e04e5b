import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { UnitOfWork } from '../../../database/unit-of-work.js';
import { FAIRNESS } from '../../../fairness/fairness-counts.js';
import { type Share, shareIn } from '../../../fairness/share.js';
import { WaitingLines } from '../../../fairness/waiting-lines.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import { PeriodicTask } from '../../../periodic/periodic-task.js';
import type { Digest } from '../../../oci/digest.js';
import { type ConfigDescriptor, ImageConfigs, isReadable } from './image-configs.service.js';
import { type ManifestPlatform, ManifestUsesRepository } from '../manifest-uses.repository.js';

/** Between two batches: reading never takes more than a small part of what pushes need, however many there are. */
const PAUSE_MS = 500;
const BATCH = 20;
/** Images that wait; what is beyond, or lost by a crash, is read at the next request for the manifest's page. */
const MAX_WAITING = 10_000;
/** Of one principal in one namespace. */
const MAX_WAITING_OF_SHARE = 1_000;

interface PushedImage {
  readonly repository: RepositoryFact;
  readonly digest: Digest;
  readonly config: ConfigDescriptor;
  readonly share: Share;
}

/** Writes what pushed images run on. That is in their config, a blob in the store: it is read once the push is answered. */
@Injectable()
export class ImagePlatforms implements OnApplicationShutdown {
  private readonly logger = new Logger(ImagePlatforms.name);
  private readonly waiting = new WaitingLines<PushedImage>();
  private readonly task = new PeriodicTask({
    name: 'image-platforms',
    pauseMs: PAUSE_MS,
    jitter: 0,
    failure: 'platforms of images are read later',
    run: async (signal) => {
      await this.readBatch(signal);
      if (this.waiting.length > 0) this.task.soon();
    },
  });

  constructor(
    private readonly configs: ImageConfigs,
    private readonly unitOfWork: UnitOfWork,
    private readonly manifests: ManifestUsesRepository,
  ) {}

  /** What waits is left: the process is to end. */
  onApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** An image that was pushed; this only takes note of it. */
  expect(repository: RepositoryFact, digest: Digest, config: ConfigDescriptor | null, principal: string): void {
    if (!config || !isReadable(config)) return;
    const share = shareIn(repository.path, principal);
    if (this.waiting.length >= MAX_WAITING || this.waiting.lengthOf(share) >= MAX_WAITING_OF_SHARE) {
      FAIRNESS.refused.add('configs');
      return;
    }
    FAIRNESS.waiting.add('configs');
    this.waiting.add({ repository, digest, config, share });
    this.task.soon();
  }

  async save(found: readonly ManifestPlatform[]): Promise<void> {
    if (found.length > 0) await this.unitOfWork.runStatement((tx) => this.manifests.savePlatforms(tx, found));
  }

  /** In turn, so that a thousand images of one principal do not delay others. */
  private nextBatch(): PushedImage[] {
    const batch: PushedImage[] = [];
    for (let [next] = this.waiting.heads(); next && batch.length < BATCH; [next] = this.waiting.heads()) {
      this.waiting.serve(next);
      batch.push(next);
    }
    FAIRNESS.waiting.add('configs', -batch.length);
    return batch;
  }

  private async readBatch(signal: AbortSignal): Promise<void> {
    const found: ManifestPlatform[] = [];
    for (const { repository, digest, config: descriptor } of this.nextBatch()) {
      const config = signal.aborted ? null : await this.configs.read(repository, descriptor, signal);
      if (config) found.push({ repoId: repository.id, digest, config });
    }
    try {
      await this.save(found);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.logger.warn({ error: text, images: found.length, message: 'platforms of images are not recorded' });
    }
  }
}
