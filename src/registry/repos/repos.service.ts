import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import { LRUCache } from 'lru-cache';
import type { CallerRights } from '../../access/caller.js';
import { FactCache } from '../../cache/fact-cache.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import { FactDrops } from '../../events/fact-drops.js';
import type { RepositoryFact, RepositoryTarget } from '../../access/repository-fact.js';
import { OciError } from '../../oci/oci-error.js';
import type { RepositoryName } from '../../oci/repository-name.js';
import { pathsIn, within } from './path-range.js';
import type { Repo, Visibility } from './repo.entity.js';
import { type Moved, ReposRepository } from './repos.repository.js';
import { RepoChangesService } from './repo-changes.service.js';
import { visibleSetOf } from './visible-set.js';
import {
  type Keyset,
  type ListedRepo,
  type RepositoryQuery,
  VisibleReposRepository,
} from './visible-repos.repository.js';

/** Paths whose repositories are remembered by their ids. */
const MAX_SEEN = 10_000;

@Injectable()
export class ReposService {
  private readonly seen = new LRUCache<RepositoryName, number>({ max: MAX_SEEN });

  constructor(
    private readonly repositories: ReposRepository,
    private readonly visible: VisibleReposRepository,
    private readonly changes: RepoChangesService,
    private readonly facts: FactCache,
    private readonly factDrops: FactDrops,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** The one function that turns a path into a repository; a former path finds it too. */
  async find(path: RepositoryName): Promise<RepositoryFact | null> {
    const fact = await this.read(path);
    if (!isMoved(fact)) return this.seenAt(fact);
    // Facts of a repository are kept under its present path alone, so that one drop reaches them.
    const present = await this.read(fact.movedTo);
    // Two facts that were read while it moved may send each other round: then the database has the last word.
    return isMoved(present) ? this.repositories.find(present.movedTo) : this.seenAt(present);
  }

  /**
   * The repository to push to: the one that the guard has judged, or one that is made with this visibility on the first
   * push. Throws `nameUnknown` where the namespace does not exist, `denied` at a repository's former path.
   */
  async ensure(
    { name: path, repository }: RepositoryTarget,
    visibility: Visibility,
    actor: Actor,
  ): Promise<RepositoryFact> {
    if (repository) return pushable(path, repository);
    const draft = { path, visibility, sparse: false, description: '', listed: false };
    await this.unitOfWork.run((tx) => this.changes.create(tx, draft, actor));
    const made = await this.find(path);
    if (!made) throw new OciError('nameUnknown', { name: path });
    return pushable(path, made);
  }

  /** From its first manifest on a repository is in lists. */
  async markListed(tx: Transaction, repository: RepositoryFact): Promise<void> {
    if (repository.listed) return;
    const path = await this.repositories.markListed(tx, repository.id);
    await this.factDrops.afterCommit(tx, [`repo:${path ?? repository.path}`]);
  }

  /** Live row, read from the database. */
  detail(repository: Pick<RepositoryFact, 'id'>): Promise<Repo | null> {
    return this.repositories.findDetail(repository.id);
  }

  /** Names that the caller may pull, in ASCII order. */
  listPullable(caller: CallerRights, page: Keyset): Promise<RepositoryName[]> {
    return this.visible.paths(visibleSetOf(caller), page);
  }

  /**
   * The id that this process last saw at the path, or `undefined`. Only good for asking early what may be wanted next:
   * another repository may be there by now.
   */
  lastSeenAt(path: RepositoryName): number | undefined {
    return this.seen.get(path);
  }

  /** What the caller may see, everywhere or in one namespace, in the order of the paths. */
  list(caller: CallerRights, namespace: string | null, query: RepositoryQuery): Promise<ListedRepo[]> {
    const view = visibleSetOf(caller);
    const ranges = namespace === null ? view.ranges : within(view.ranges, pathsIn(namespace));
    return this.visible.details({ ...view, ranges }, query);
  }

  private read(path: RepositoryName): RepositoryFact | Moved | null | Promise<RepositoryFact | Moved | null> {
    return this.facts.read({ subject: `repo:${path}`, name: 'repository', load: () => this.repositories.findAt(path) });
  }

  private seenAt(fact: RepositoryFact | null): RepositoryFact | null {
    if (fact !== null && this.facts.shared) this.seen.set(fact.path, fact.id);
    return fact;
  }
}

function isMoved(fact: RepositoryFact | Moved | null): fact is Moved {
  return fact !== null && 'movedTo' in fact;
}

function pushable(path: RepositoryName, repository: RepositoryFact): RepositoryFact {
  if (repository.path !== path) throw new OciError('denied', { name: path, reason: 'the repository was renamed' });
  return repository;
}
