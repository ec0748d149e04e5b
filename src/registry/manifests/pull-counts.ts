import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { WriteBehind } from '../../events/write-behind.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import type { Digest } from '../../oci/digest.js';
import { ManifestUsesRepository, type ManifestPulls } from './manifest-uses.repository.js';

const EVERY_MS = 10_000;
const MAX_MANIFESTS = 10_000;

/** How often and when manifests were pulled. It may be less than the truth: nothing of it waits for the disk. */
@Injectable()
export class PullCounts implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly pulls: WriteBehind<ManifestPulls>;

  constructor(unitOfWork: UnitOfWork, manifests: ManifestUsesRepository) {
    this.pulls = new WriteBehind({
      what: 'pulls of manifests',
      everyMs: EVERY_MS,
      maxEntries: MAX_MANIFESTS,
      write: (pulls) => unitOfWork.runStatement((tx) => manifests.addPulls(tx, pulls)),
    });
  }

  onApplicationBootstrap(): void {
    this.pulls.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.pulls.end();
  }

  /** On each pull of a manifest: this only counts. */
  note({ id: repoId }: RepositoryFact, digest: Digest): void {
    const key = `${repoId} ${digest}`;
    const known = this.pulls.get(key);
    if (known) {
      known.count += 1;
      known.lastAt = Date.now();
    } else this.pulls.set(key, { repoId, digest, count: 1, lastAt: Date.now() });
  }

  /** Resolves when what was noted before is written. */
  flush(): Promise<void> {
    return this.pulls.flush();
  }
}
