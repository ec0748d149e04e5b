import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Viewer } from '../access/viewer.js';
import { FactCache } from '../cache/fact-cache.js';
import { type Transaction, UnitOfWork } from '../database/unit-of-work.js';
import { FactDrops } from '../events/fact-drops.js';
import type { RepositoryFact } from '../http/request-context.js';
import { OciError } from '../oci/oci-error.js';
import type { RepositoryName } from '../oci/repository-name.js';
import type { Repo, Visibility } from './repo.entity.js';
import { RepositoriesRepository } from './repositories.repository.js';
import { viewOf } from './view.js';
import { type Keyset, VisibleRepositoriesRepository } from './visible-repositories.repository.js';

/** Paths whose repositories are remembered by their ids. */
const MAX_SEEN = 10_000;

export type RepositorySettings = Partial<Pick<Repo, 'visibility' | 'sparse' | 'description'>>;

@Injectable()
export class RepositoriesService {
  private readonly seen = new LRUCache<RepositoryName, number>({ max: MAX_SEEN });

  constructor(
    private readonly repositories: RepositoriesRepository,
    private readonly visible: VisibleRepositoriesRepository,
    private readonly facts: FactCache,
    private readonly factDrops: FactDrops,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** The one function that turns a path into a repository; a former path finds it too. */
  find(path: RepositoryName): RepositoryFact | null | Promise<RepositoryFact | null> {
    const found = this.facts.read({ subject: `repo:${path}`, name: 'repository', load: () => this.load(path) });
    return found instanceof Promise ? found.then((fact) => this.follow(fact)) : this.follow(found);
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

  /** Names that the caller may pull, in ASCII order. */
  listPullable(caller: Viewer, page: Keyset): Promise<RepositoryName[]> {
    return this.visible.paths(viewOf(caller), page);
  }

  /**
   * The id that this process last saw at the path, or `undefined`. Only good for asking early what may be wanted next:
   * another repository may be there by now.
   */
  lastSeenAt(path: RepositoryName): number | undefined {
    return this.seen.get(path);
  }

  private async load(path: RepositoryName): Promise<RepositoryFact | Moved | null> {
    const repository = await this.repositories.find(path);
    if (repository) return repository;
    const movedTo = await this.repositories.findMoved(path);
    return movedTo === null ? null : { movedTo };
  }

  /** Facts of a repository are kept under its present path alone, so that one drop reaches them. */
  private follow(fact: RepositoryFact | Moved | null): RepositoryFact | null | Promise<RepositoryFact | null> {
    if (fact === null) return null;
    if ('movedTo' in fact) return this.find(fact.movedTo);
    if (this.facts.shared) this.seen.set(fact.path, fact.id);
    return fact;
  }
}

/** What is cached of a former path. */
interface Moved {
  readonly movedTo: RepositoryName;
}

function pushable(path: RepositoryName, repository: RepositoryFact): RepositoryFact {
  if (repository.path !== path) throw new OciError('denied', { name: path, reason: 'the repository was renamed' });
  return repository;
}
