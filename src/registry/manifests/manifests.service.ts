import { Injectable } from '@nestjs/common';
import { ContentService } from '../blobs/content.service.js';
import type { ReferencedContent } from '../blobs/referenced-content.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import { type AuditEntry, AuditTrail } from '../../events/audit-trail.service.js';
import { FactDrops } from '../../events/fact-drops.js';
import type { RepositoryFact } from '../../http/request-context.js';
import type { Digest } from '../../oci/digest.js';
import { OciError } from '../../oci/oci-error.js';
import type { Tag } from '../../oci/reference.js';
import type { Actor } from '../../access/actor.js';
import { ReposService } from '../repos/repos.service.js';
import { manifestsOf } from './manifest-read.service.js';
import { ManifestsRepository, type NewManifest } from './manifests.repository.js';
import { mayMove, type TagCondition } from './tags/tag-condition.js';

export interface Tagging {
  readonly tags: readonly Tag[];
  readonly condition: TagCondition;
  readonly actor: Actor;
}

/** What changes manifests and tags: one transaction each, then the facts about them are dropped. */
@Injectable()
export class ManifestsService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly content: ContentService,
    private readonly manifests: ManifestsRepository,
    private readonly repositories: ReposService,
    private readonly drops: FactDrops,
    private readonly audit: AuditTrail,
  ) {}

  /** Throws `manifestBlobUnknown`, `descriptorSizeMismatch`, or `preconditionFailed` for a tag that moved meanwhile. */
  save(
    repository: RepositoryFact,
    manifest: NewManifest,
    named: readonly ReferencedContent[],
    { tags, condition, actor }: Tagging,
  ): Promise<void> {
    return this.write(repository, async (tx) => {
      const edges = await this.content.linkManifest(tx, repository, manifest, named);
      const entry = pushEntry(repository, manifest, tags);
      const moved = await this.manifests.save(tx, repository.id, manifest, { edges, tags, actor, entry });
      // What was replaced is known only now, and surely: the row is ours until the end of the transaction.
      const refused = moved.find(({ replaced }) => !mayMove(condition, replaced));
      if (refused) throw new OciError('preconditionFailed', { tag: refused.tag, current: refused.replaced });
      await this.repositories.markListed(tx, repository);
    });
  }

  /** Whether the repository has these bytes, also of a manifest that was deleted. */
  hasBytes({ id }: RepositoryFact, digest: Digest): Promise<boolean> {
    return this.manifests.hasBytes(id, digest);
  }

  /**
   * The manifest and its other tags stay. Throws `tagUnknown`, and `preconditionFailed` when the tag does not point to
   * `expected`, where that is given.
   */
  removeTag(repository: RepositoryFact, tag: Tag, actor: Actor, expected: Digest | null = null): Promise<void> {
    return this.write(repository, async (tx) => {
      if (expected !== null) {
        const current = await this.manifests.lockTag(tx, repository.id, tag);
        if (current !== null && current !== expected) throw new OciError('preconditionFailed', { tag, current });
      }
      const isGone = await this.manifests.removeTag(tx, repository.id, tag, actor);
      if (!isGone) throw new OciError('tagUnknown', { tag });
      await this.audit.append(tx, actor, deleteEntry(repository, 'tag.delete', `:${tag}`));
    });
  }

  /** Removes a manifest with all its tags. Throws `manifestUnknown`, or `inUse` with the tagged indexes that need it. */
  remove(repository: RepositoryFact, digest: Digest, actor: Actor): Promise<void> {
    return this.write(repository, async (tx) => {
      // Its content row first, as pushes of it do: they queue up there and never in a circle.
      await this.content.unlinkManifest(tx, repository, digest);
      await this.manifests.remove(tx, repository.id, digest, actor);
      await this.audit.append(tx, actor, deleteEntry(repository, 'manifest.delete', `@${digest}`));
    });
  }

  private write(repository: RepositoryFact, work: (tx: Transaction) => Promise<void>): Promise<void> {
    return this.unitOfWork.run(async (tx) => {
      await work(tx);
      await this.drops.afterCommit(tx, [manifestsOf(repository)]);
    });
  }
}

function pushEntry(
  { path, namespaceId }: RepositoryFact,
  { digest, mediaType }: NewManifest,
  tags: readonly Tag[],
): AuditEntry {
  return {
    action: 'manifest.push',
    resource: `repo:${path}@${digest}`,
    namespaceId,
    detail: { tags, digest, mediaType },
  };
}

function deleteEntry({ path, namespaceId }: RepositoryFact, action: string, what: string): AuditEntry {
  return { action, resource: `repo:${path}${what}`, namespaceId };
}
