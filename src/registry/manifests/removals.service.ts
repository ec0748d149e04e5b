import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import { ApiError } from '../../http/errors/api-error.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import type { Digest } from '../../oci/digest.js';
import { OciError } from '../../oci/oci-error.js';
import type { Tag } from '../../oci/reference.js';
import { ManifestsService } from './manifests.service.js';

/** Removals as the management API words them: the refusals of /v2, with the status that they have there. */
@Injectable()
export class RemovalsService {
  constructor(private readonly manifests: ManifestsService) {}

  /** Throws `tagUnknown`, and `preconditionFailed` when it does not point to `expected`, where that is given. */
  async removeTag(repository: RepositoryFact, tag: Tag, expected: Digest | null, actor: Actor): Promise<void> {
    try {
      await this.manifests.removeTag(repository, tag, actor, expected);
    } catch (error) {
      if (!(error instanceof OciError) || error.condition !== 'preconditionFailed') throw error;
      const { current } = error.detail as { current: Digest };
      throw new ApiError('preconditionFailed', `the tag points to ${current}`);
    }
  }

  /** With all its tags. Throws `manifestUnknown`, and `conflict` while a tag needs it. */
  async remove(repository: RepositoryFact, digest: Digest, actor: Actor): Promise<void> {
    try {
      await this.manifests.remove(repository, digest, actor);
    } catch (error) {
      if (!(error instanceof OciError) || error.condition !== 'inUse') throw error;
      const { neededBy } = error.detail as { neededBy: readonly Digest[] };
      throw new ApiError('conflict', `${error.message} (${neededBy.join(', ')})`);
    }
  }
}
