import { Injectable } from '@nestjs/common';
import { ContentService } from '../blobs/content.service.js';
import type { ReferencedContent } from '../blobs/referenced-content.js';
import { UnitOfWork } from '../../database/unit-of-work.js';
import type { EventOf, PlainEvent } from '../../events/domain-event.js';
import { EventsService } from '../../events/events.service.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import type { Digest } from '../../oci/digest.js';
import { OciError } from '../../oci/oci-error.js';
import type { Tag } from '../../oci/reference.js';
import type { Actor } from '../../access/actor.js';
import { ReposService } from '../repos/repos.service.js';
import { placeOf } from '../repos/repository-place.js';
import { manifestsOf } from './manifest-read.service.js';
import { ManifestsRepository, MOVED_TAGS, type NewManifest } from './manifests.repository.js';
import { mayMove, type TagCondition } from './tags/tag-condition.js';

export interface Tagging {
  readonly tags: readonly Tag[];
  readonly condition: TagCondition;
  readonly actor: Actor;
}

/** What changes manifests and tags: one transaction each, with its events. */
@Injectable()
export class ManifestsService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly content: ContentService,
    private readonly manifests: ManifestsRepository,
    private readonly repositories: ReposService,
    private readonly events: EventsService,
  ) {}

  /** Throws `manifestBlobUnknown`, `descriptorSizeMismatch`, or `preconditionFailed` for a tag that moved meanwhile. */
  save(
    repository: RepositoryFact,
    manifest: NewManifest,
    named: readonly ReferencedContent[],
    { tags, condition, actor }: Tagging,
  ): Promise<void> {
    return this.unitOfWork.run(async (tx) => {
      const edges = await this.content.linkManifest(tx, repository, manifest, named);
      const event = pushed(repository, manifest, tags, actor);
      const events = this.events.compose(event, MOVED_TAGS);
      const moved = await this.manifests.save(tx, repository.id, manifest, { edges, tags, actor, events });
      // What was replaced is known only now, and surely: the row is ours until the end of the transaction.
      const refused = moved.find(({ replaced }) => !mayMove(condition, replaced));
      if (refused) throw new OciError('preconditionFailed', { tag: refused.tag, current: refused.replaced });
      this.events.written(tx, event);
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
    return this.unitOfWork.run(async (tx) => {
      if (expected !== null) {
        const current = await this.manifests.lockTag(tx, repository.id, tag);
        if (current !== null && current !== expected) throw new OciError('preconditionFailed', { tag, current });
      }
      const digest = await this.manifests.removeTag(tx, repository.id, tag, actor);
      if (digest === null) throw new OciError('tagUnknown', { tag });
      await this.events.record(tx, tagDeleted(repository, tag, digest, actor));
    });
  }

  /** Removes a manifest with all its tags. Throws `manifestUnknown`, or `inUse` with the tagged indexes that need it. */
  remove(repository: RepositoryFact, digest: Digest, actor: Actor): Promise<void> {
    return this.unitOfWork.run(async (tx) => {
      // Its content row first, as pushes of it do: they queue up there and never in a circle.
      await this.content.unlinkManifest(tx, repository, digest);
      const tags = await this.manifests.remove(tx, repository.id, digest, actor);
      const gone = tags.map((tag): PlainEvent => ({ ...tagDeleted(repository, tag, digest, actor), isPart: true }));
      await this.events.recordAll(tx, [manifestDeleted(repository, digest, actor), ...gone]);
    });
  }
}

type EventIn = Pick<PlainEvent, 'actor' | 'namespaceId' | 'resource' | 'repository' | 'stale'>;

function eventIn(repository: RepositoryFact, part: string, actor: Actor): EventIn {
  return { actor, ...placeOf(repository, part), stale: [manifestsOf(repository)] };
}

function pushed(
  repository: RepositoryFact,
  { digest, mediaType, size, artifactType, subject }: NewManifest,
  tags: readonly Tag[],
  actor: Actor,
): EventOf<'manifest.pushed'> {
  const data = { digest, mediaType, size, artifactType, subject, tags };
  return { type: 'manifest.pushed', ...eventIn(repository, `@${digest}`, actor), data };
}

function manifestDeleted(repository: RepositoryFact, digest: Digest, actor: Actor): EventOf<'manifest.deleted'> {
  return { type: 'manifest.deleted', ...eventIn(repository, `@${digest}`, actor), data: { digest } };
}

function tagDeleted(repository: RepositoryFact, tag: Tag, digest: Digest, actor: Actor): EventOf<'tag.deleted'> {
  return { type: 'tag.deleted', ...eventIn(repository, `:${tag}`, actor), data: { tag, digest } };
}
