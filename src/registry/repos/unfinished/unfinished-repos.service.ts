import { Injectable } from '@nestjs/common';
import type { CallerRights } from '../../../access/caller.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { managesNamespace } from '../repo-access.js';
import { ReposRepository, type UnfinishedRow } from '../repos.repository.js';
import type { Keyset } from '../visible-repos.repository.js';

/** Repositories that a push has begun and given no manifest yet. */
@Injectable()
export class UnfinishedReposService {
  constructor(private readonly repositories: ReposRepository) {}

  /** Throws `denied`, the same for a namespace that does not exist. */
  list(namespace: string, caller: CallerRights, keyset: Keyset): Promise<UnfinishedRow[]> {
    if (!managesNamespace(caller, namespace)) {
      throw new ApiError('denied', `you may not manage repositories in "${namespace}"`);
    }
    return this.repositories.listUnfinishedIn(namespace, keyset);
  }
}
