import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import { AppConfig } from '../../config/config.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import { EventsService } from '../../events/events.service.js';
import { FactDrops } from '../../events/fact-drops.js';
import type { Authorization } from '../../http/guards/request-authorization.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import type { Digest } from '../../oci/digest.js';
import { OciError } from '../../oci/oci-error.js';
import type { ObjectKey } from '../../storage/object-keys.js';
import type { Blob } from './blob.entity.js';
import { BlobsRepository, type CommittedBlob } from './blobs.repository.js';
import { domainOf, heldBlob } from './content.service.js';
import { BlobDamage } from './damage/blob-damage.service.js';

export interface StoredUpload {
  readonly id: string;
  readonly epoch: number;
  readonly repository: Pick<RepositoryFact, 'id' | 'namespaceId' | 'path'>;
  /** Of the request that sent the bytes. */
  readonly authorization: Authorization;
  readonly digest: Digest;
  readonly size: number;
  readonly key: ObjectKey;
  readonly isSplit?: boolean;
  /** Whose push the audit log has to tell of, when no request's answer says that it has succeeded. */
  readonly actor?: Actor;
}

/** The one transaction that makes an upload a blob. Nothing is copied: the digest's row names the object as written. */
@Injectable()
export class CommitTransaction {
  constructor(
    private readonly blobs: BlobsRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly drops: FactDrops,
    private readonly events: EventsService,
    private readonly damage: BlobDamage,
    private readonly config: AppConfig,
  ) {}

  /** See `BlobsRepository.commit`. Throws `nameUnknown` when the repository was deleted. */
  run(upload: StoredUpload, store: Blob['store'], judged: string | null): Promise<CommittedBlob | null> {
    const { id, epoch, repository, digest, size, key, isSplit = false, actor } = upload;
    const domain = domainOf(repository, this.config);
    const finished = { id, repoId: repository.id, epoch, domain, digest, size, store, key, isSplit };
    const work = async (tx: Transaction): Promise<CommittedBlob | null> => {
      await this.drops.afterCommit(tx, [heldBlob(repository, digest)]);
      const blob = await this.blobs.commit(tx, finished, judged);
      if (blob?.isHomeless) throw new OciError('nameUnknown', { name: repository.path });
      if (!blob?.isDone) return blob;
      if (actor) {
        const { path, namespaceId } = repository;
        await this.events.recordActivity(tx, actor, {
          action: 'blob.push',
          resource: `repo:${path}@${digest}`,
          namespaceId,
        });
      }
      if (blob.isReplaced) await this.damage.replaced(tx, blob.blobId, digest);
      return blob;
    };
    // A new digest is one statement where no other node has to be told.
    const isAlone = judged === null && !actor && !this.drops.addStatements;
    return isAlone ? this.unitOfWork.runStatement(work) : this.unitOfWork.run(work);
  }
}
