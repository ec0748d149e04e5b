import { Injectable, Logger } from '@nestjs/common';
import { AppConfig } from '../config/config.js';
import { type Transaction, UnitOfWork } from '../database/unit-of-work.js';
import { FactDrops } from '../events/fact-drops.js';
import type { Actor } from '../access/actor.js';
import { AuditTrail } from '../events/audit-trail.service.js';
import type { RepositoryFact } from '../http/request-context.js';
import type { Digest } from '../oci/digest.js';
import { TALLIES } from '../http/tallies.js';
import { BlobStore } from '../storage/blob-store.js';
import type { ObjectKey } from '../storage/object-keys.js';
import { BlobsRepository } from './blobs.repository.js';
import { heldBlob } from './content.service.js';
import { domainOf } from './deduplication.js';

export interface StoredUpload {
  readonly id: string;
  readonly epoch: number;
  readonly repository: Pick<RepositoryFact, 'id' | 'namespaceId' | 'path'>;
  readonly digest: Digest;
  readonly size: number;
  readonly key: ObjectKey;
  readonly isSplit?: boolean;
  /** Whose push the audit log has to tell of, when no request's answer says that it has succeeded. */
  readonly actor?: Actor;
}

/** The one transaction that makes an upload a blob. Nothing is copied: the digest's row names the object as written. */
@Injectable()
export class UploadCommit {
  private readonly logger = new Logger(UploadCommit.name);

  constructor(
    private readonly blobs: BlobsRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly drops: FactDrops,
    private readonly audit: AuditTrail,
    private readonly store: BlobStore,
    private readonly config: AppConfig,
  ) {}

  /** False when the upload has passed to a later epoch: then nothing has changed. */
  async commit(upload: StoredUpload): Promise<boolean> {
    const { id, epoch, repository, digest, size, key, isSplit = false, actor } = upload;
    const domain = domainOf(repository, this.config);
    const { driver: store } = this.store;
    const finished = { id, repoId: repository.id, epoch, domain, digest, size, store, key, isSplit };
    const work = async (tx: Transaction): Promise<boolean> => {
      await this.drops.afterCommit(tx, [heldBlob(repository, digest)]);
      const blob = await this.blobs.commit(tx, finished);
      if (!blob) return false;
      if (actor) {
        const { path, namespaceId } = repository;
        await this.audit.append(tx, actor, { action: 'blob.push', resource: `repo:${path}@${digest}`, namespaceId });
      }
      if (blob.storageKey !== key)
        tx.afterCommit(() => {
          this.removeLoser(key);
        });
      return true;
    };
    const isCommitted = await (actor || this.drops.addStatements
      ? this.unitOfWork.run(work)
      : this.unitOfWork.runStatement(work));
    if (isCommitted) (actor ? TALLIES.directUploads : TALLIES.streamedUploads).add('completed');
    return isCommitted;
  }

  /** Another upload of the digest was earlier. What is not removed now, the sweep of the done row removes. */
  private removeLoser(key: ObjectKey): void {
    this.store.delete([key]).catch((error: unknown) => {
      this.logger.warn({ key, error: String(error), message: 'the sweep has to remove a duplicate' });
    });
  }
}
