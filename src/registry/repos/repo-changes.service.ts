import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import { AuditTrail } from '../../events/audit-trail.service.js';
import { FactDrops } from '../../events/fact-drops.js';
import { ApiError } from '../../http/errors/api-error.js';
import type { RepositoryFact } from '../../http/request-context.js';
import { type NewRepository, ReposRepository, type SettingsChange } from './repos.repository.js';

/** What makes, changes and removes repositories: the row, its entry in the audit log and the dropped facts at once. */
@Injectable()
export class RepoChangesService {
  constructor(
    private readonly repositories: ReposRepository,
    private readonly factDrops: FactDrops,
    private readonly audit: AuditTrail,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** False when there is one, the path was another's, or the namespace does not exist. */
  async create(tx: Transaction, repository: NewRepository, actor: Actor): Promise<boolean> {
    const { path, visibility } = repository;
    const namespaceId = await this.repositories.insert(tx, repository);
    // Also where nothing was made: what was known of the path was that there is nothing.
    await this.factDrops.afterCommit(tx, [`repo:${path}`]);
    if (namespaceId === null) return false;
    const entry = { action: 'repo.create', resource: `repo:${path}`, namespaceId, detail: { visibility } };
    await this.audit.append(tx, actor, entry);
    return true;
  }

  /**
   * Throws `preconditionFailed` when `unchangedSince` is given and somebody changed the settings since then, `conflict`
   * when the repository is not at its path any more.
   */
  async update(
    repository: RepositoryFact,
    change: SettingsChange,
    unchangedSince: Date | null,
    actor: Actor,
  ): Promise<void> {
    const { id, path, namespaceId } = repository;
    const { visibility, sparse, description } = change;
    const detail = { visibility, sparse, ...(description === undefined ? {} : { description: 'changed' }) };
    await this.unitOfWork.run(async (tx) => {
      // The facts that are dropped are those of this path: a rename must not have taken them elsewhere.
      if (!(await this.repositories.lock(tx, repository))) {
        throw new ApiError('conflict', 'the repository was renamed or deleted meanwhile');
      }
      if (!(await this.repositories.update(tx, id, change, unchangedSince))) throw new ApiError('preconditionFailed');
      await this.factDrops.afterCommit(tx, [`repo:${path}`]);
      await this.audit.append(tx, actor, { action: 'repo.update', resource: `repo:${path}`, namespaceId, detail });
    });
  }

  /** The repository is gone with its grants and former paths; whoever pushes to one of them makes a new one. */
  async remove(repository: RepositoryFact, actor: Actor): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      if (!(await this.repositories.lock(tx, repository))) throw new ApiError('notFound');
      await this.removeLocked(tx, repository, actor);
    });
  }

  /** The same in the transaction of who has locked the repository's row. */
  async removeLocked(
    tx: Transaction,
    { id, path, namespaceId }: Pick<RepositoryFact, 'id' | 'path' | 'namespaceId'>,
    actor: Actor,
  ): Promise<void> {
    const aliases = (await this.repositories.remove(tx, [id], actor.principal)).map((former) => former.path);
    const detail = aliases.length > 0 ? { aliases } : {};
    await this.audit.append(tx, actor, { action: 'repo.delete', resource: `repo:${path}`, namespaceId, detail });
    await this.factDrops.afterCommit(tx, [`repo:${path}`, ...aliases.map((alias) => `repo:${alias}` as const)]);
  }
}
