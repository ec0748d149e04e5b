import { Injectable } from '@nestjs/common';
import type { Principal } from '../access/principal.js';
import { FactCache } from '../cache/fact-cache.js';
import { type Transaction, UnitOfWork } from '../database/unit-of-work.js';
import { FactDrops } from '../events/fact-drops.js';
import type { RepositoryFact } from '../http/request-context.js';
import { OciError } from '../oci/oci-error.js';
import type { RepositoryName } from '../oci/repository-name.js';
import type { Repo, Visibility } from './repo.entity.js';
import { type Keyset, RepositoriesRepository } from './repositories.repository.js';

export type RepositorySettings = Partial<Pick<Repo, 'visibility' | 'sparse' | 'description'>>;

@Injectable()
export class RepositoriesService {
  constructor(
    private readonly repositories: RepositoriesRepository,
    private readonly facts: FactCache,
    private readonly factDrops: FactDrops,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** The one function that turns a path into a repository; a former path finds it too. */
  find(path: RepositoryName): RepositoryFact | null | Promise<RepositoryFact | null> {
    return this.facts.read({
      subject: `repo:${path}`,
      name: 'repository',
      load: () => this.repositories.find(path),
    });
  }

  /**
   * The repository to push to, made with this visibility on the first push. The caller has checked that the principal may.
   * Throws `nameUnknown` where the namespace does not exist, `denied` at a repository's former path.
   */
  async ensure(path: RepositoryName, visibility: Visibility): Promise<RepositoryFact> {
    const known = await this.find(path);
    if (known) return pushable(path, known);
    await this.repositories.insert(path, visibility);
    await this.facts.drop([`repo:${path}`]);
    const made = await this.find(path);
    if (!made) throw new OciError('nameUnknown', { name: path });
    return pushable(path, made);
  }

  /** From its first manifest on a repository is in lists. */
  async markListed(tx: Transaction, repository: RepositoryFact): Promise<void> {
    if (repository.listed) return;
    await this.repositories.markListed(tx, repository.id);
    await this.factDrops.afterCommit(tx, [`repo:${repository.path}`]);
  }

  /** Live row, read from the database. */
  detail(repository: RepositoryFact): Promise<Repo | null> {
    return this.repositories.findDetail(repository.id);
  }

  /** False, and nothing changed, when `unchangedSince` is given and somebody changed the settings since then. */
  update(repository: RepositoryFact, settings: RepositorySettings, unchangedSince: Date | null): Promise<boolean> {
    return this.unitOfWork.run(async (tx) => {
      const isUpdated = await this.repositories.update(tx, repository.id, settings, unchangedSince);
      await this.factDrops.afterCommit(tx, [`repo:${repository.path}`]);
      return isUpdated;
    });
  }

  /** Names that the principal may pull, in ASCII order: what is public, and what is in its own namespace. */
  listPullable(principal: Principal, page: Keyset): Promise<RepositoryName[]> {
    if (principal.kind !== 'user') return this.repositories.listPublic(page);
    if (principal.admin) return this.repositories.listAll(page);
    return this.repositories.listPublicAndOwned(page, principal.namespaceId);
  }
}

function pushable(path: RepositoryName, repository: RepositoryFact): RepositoryFact {
  if (repository.path !== path) throw new OciError('denied', { name: path, reason: 'the repository was renamed' });
  return repository;
}
