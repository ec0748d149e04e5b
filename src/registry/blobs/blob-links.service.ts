import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { EventsService } from '../../events/events.service.js';
import { FactDrops } from '../../events/fact-drops.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import type { Digest } from '../../oci/digest.js';
import { placeOf } from '../repos/repository-place.js';
import { BlobsRepository } from './blobs.repository.js';
import type { HeldBlob } from './content.repository.js';
import { ContentService, heldBlob } from './content.service.js';

/** Makes repositories hold blobs that are stored already, and lets go of them. No bytes are touched. */
@Injectable()
export class BlobLinks {
  constructor(
    private readonly blobs: BlobsRepository,
    private readonly content: ContentService,
    private readonly unitOfWork: UnitOfWork,
    private readonly drops: FactDrops,
    private readonly events: EventsService,
  ) {}

  /** False when the collector has taken the blob meanwhile. */
  link(repository: RepositoryFact, digest: Digest, blob: HeldBlob): Promise<boolean> {
    return this.unitOfWork.run(async (tx) => {
      if (!(await this.blobs.hold(tx, blob.blobId))) return false;
      await this.content.link(tx, repository.id, digest, blob);
      await this.drops.afterCommit(tx, [heldBlob(repository, digest)]);
      return true;
    });
  }

  /** The repository holds it no more; its bytes are the collector's. Throws `blobUnknown` or `inUse`. */
  async unlink(repository: RepositoryFact, digest: Digest, actor: Actor): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      await this.content.unlinkBlob(tx, repository, digest);
      const stale = [heldBlob(repository, digest)];
      const place = placeOf(repository, `@${digest}`);
      await this.events.record(tx, { type: 'blob.deleted', actor, ...place, data: { digest }, stale });
    });
  }
}
