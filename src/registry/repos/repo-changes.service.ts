import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import type { EndingEvent } from '../../events/domain-event.js';
import { EventsService } from '../../events/events.service.js';
import { FactDrops } from '../../events/fact-drops.js';
import { ApiError } from '../../http/errors/api-error.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { type NewRepository, ReposRepository, type SettingsChange } from './repos.repository.js';
import { placeOf } from './repository-place.js';

/** What makes, changes and removes repositories: the row and its event at once. */
@Injectable()
export class RepoChangesService {
  constructor(
    private readonly repositories: ReposRepository,
    private readonly events: EventsService,
    private readonly factDrops: FactDrops,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** False when there is one, the path was another's, or the namespace does not exist. */
  async create(tx: Transaction, repository: NewRepository, actor: Actor): Promise<boolean> {
    const { path, visibility } = repository;
    const stale = [`repo:${path}`] as const;
    const made = await this.repositories.insert(tx, repository);
    if (made) {
      const data = { visibility };
      await this.events.record(tx, { type: 'repository.created', actor, ...placeOf(made), data, stale });
    } else {
      // What was known of the path was that there is nothing.
      await this.factDrops.afterCommit(tx, stale);
    }
    return made !== null;
  }

  /**
   * Throws `preconditionFailed` when `unchangedSince` is given and the settings have changed since then, `conflict`
   * when the repository is not at its path any more.
   */
  async update(
    repository: RepositoryFact,
    change: SettingsChange,
    unchangedSince: Date | null,
    actor: Actor,
  ): Promise<void> {
    const { id, path } = repository;
    const { visibility, sparse, description } = change;
    const data = { visibility, sparse, ...(description === undefined ? {} : { description: 'changed' as const }) };
    const stale = [`repo:${path}`] as const;
    await this.unitOfWork.run(async (tx) => {
      // The facts that are dropped are those of this path: a rename must not have taken them elsewhere.
      if (!(await this.repositories.lock(tx, repository))) {
        throw new ApiError('conflict', 'the repository was renamed or deleted meanwhile');
      }
      if (!(await this.repositories.update(tx, id, change, unchangedSince))) throw new ApiError('preconditionFailed');
      await this.events.record(tx, { type: 'repository.updated', actor, ...placeOf(repository), data, stale });
    });
  }

  /** The repository is gone with its grants and former paths; a push to one of them creates a new repository. */
  async remove(repository: RepositoryFact, actor: Actor): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      if (!(await this.repositories.lock(tx, repository))) throw new ApiError('notFound');
      await this.removeLocked(tx, repository, actor);
    });
  }

  /** The same in the transaction of who has locked the repository's row. */
  async removeLocked(
    tx: Transaction,
    repository: Pick<RepositoryFact, 'id' | 'path' | 'namespaceId'>,
    actor: Actor,
  ): Promise<void> {
    const former = await this.repositories.remove(tx, [repository.id], actor.principal);
    const aliases = former.map(({ path }) => path);
    await this.events.recordEnds(tx, [repositoryDeleted(repository, aliases, actor)]);
  }
}

/** The former paths go with it. */
export function repositoryDeleted(
  repository: Pick<RepositoryFact, 'id' | 'path' | 'namespaceId'>,
  aliases: readonly string[],
  actor: Actor,
): EndingEvent<'repository.deleted'> {
  const stale = [repository.path, ...aliases].map((path) => `repo:${path}` as const);
  const data = aliases.length > 0 ? { aliases } : {};
  const ended = { id: repository.id, name: repository.path };
  return { type: 'repository.deleted', actor, ...placeOf(repository), data, ended, stale };
}
