import { Injectable } from '@nestjs/common';
import { mayEffectively } from '../../access/policy.js';
import type { Action } from '../../access/roles.js';
import type { Caller, CallerRights } from '../../access/caller.js';
import { AppConfig } from '../../config/config.js';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { ApiError } from '../../http/errors/api-error.js';
import { unchangedSince } from '../../http/validation/conditional-update.js';
import type { RepositoryFact, RepositoryTarget } from '../../access/repository-fact.js';
import { namespaceOf } from '../../oci/repository-name.js';
import { atPresentPath } from './requested-repo.decorator.js';
import { repositoryAccess } from './repo-access.js';
import type { Repo } from './repo.entity.js';
import { ReposService } from './repos.service.js';
import { RepoChangesService } from './repo-changes.service.js';

export type RepositorySettings = Partial<Pick<Repo, 'visibility' | 'sparse' | 'description'>>;

/** Who changes, and on which condition. */
export interface Change {
  readonly caller: Caller;
  readonly ifMatch: string | undefined;
}

@Injectable()
export class RepoSettingsService {
  constructor(
    private readonly repositories: ReposService,
    private readonly changes: RepoChangesService,
    private readonly unitOfWork: UnitOfWork,
    private readonly config: AppConfig,
  ) {}

  /**
   * Makes the repository with these settings, or gives it these settings: what is left out is as if it had just been
   * made. The caller may push there; to replace settings, or to choose others than a push would, it must manage it.
   */
  async put(
    target: RepositoryTarget,
    chosen: RepositorySettings,
    change: Change,
  ): Promise<{ repo: Repo; isNew: boolean }> {
    const settings = {
      visibility: this.config.registry.defaultVisibility,
      sparse: false,
      description: '',
      ...given(chosen),
    };
    if (target.repository === null && (await this.create(target, settings, change))) {
      return { repo: await this.detail(await this.present(target)), isNew: true };
    }
    const repository = target.repository ?? (await this.present(target));
    atPresentPath(target.name, repository);
    if (!mayManage(change.caller, target, repository)) throw new ApiError('denied');
    requireHeld(change.caller, target, repository, settings);
    return { repo: await this.apply(repository, { ...settings, listed: true }, change), isNew: false };
  }

  /** Changes what is given and nothing else. Throws `denied` and `preconditionFailed`. */
  patch(repository: RepositoryFact, chosen: RepositorySettings, change: Change): Promise<Repo> {
    requireHeld(change.caller, { name: repository.path }, repository, chosen);
    return this.apply(repository, given(chosen), change);
  }

  /** The live row. Throws `notFound` when it was deleted meanwhile. */
  async detail(repository: RepositoryFact): Promise<Repo> {
    const repo = await this.repositories.detail(repository);
    if (!repo) throw new ApiError('notFound');
    return repo;
  }

  private async create(
    target: RepositoryTarget,
    settings: Required<RepositorySettings>,
    { caller, ifMatch }: Change,
  ): Promise<boolean> {
    if (ifMatch !== undefined) throw new ApiError('preconditionFailed', 'the repository does not exist');
    const isOpen = settings.visibility !== this.config.registry.defaultVisibility || settings.sparse;
    if (isOpen && !mayManage(caller, target, null)) {
      throw new ApiError('denied', 'only who manages a repository may choose its visibility or make it sparse');
    }
    if (isOpen) requireHeld(caller, target, null, settings);
    const draft = { path: target.name, ...settings, listed: true };
    return this.unitOfWork.run((tx) => this.changes.create(tx, draft, caller.actor));
  }

  private async apply(
    repository: RepositoryFact,
    settings: RepositorySettings & { listed?: boolean },
    { caller, ifMatch }: Change,
  ): Promise<Repo> {
    const before = await this.detail(repository);
    const since = unchangedSince(ifMatch, before);
    if (Object.keys(settings).length === 0) return before;
    await this.changes.update(repository, settings, since, caller.actor);
    return this.detail(repository);
  }

  /** The repository at the path now: a concurrent request may have created it. */
  private async present({ name }: RepositoryTarget): Promise<RepositoryFact> {
    const repository = await this.repositories.find(name);
    if (!repository) throw new ApiError('impossible', `there is no namespace "${namespaceOf(name)}"`);
    return repository;
  }
}

function mayManage(
  { principal, limits }: CallerRights,
  { name }: RepositoryTarget,
  repository: RepositoryFact | null,
): boolean {
  return mayEffectively('manage', repositoryAccess(principal, limits, name, repository));
}

/**
 * A public repository can be pulled by all, a sparse one accepts incomplete manifests: a credential opens nothing to
 * others that it may not do itself. Asked also where nothing changes: it may have changed back by now. Throws `denied`.
 */
function requireHeld(
  { principal, limits }: CallerRights,
  { name }: Pick<RepositoryTarget, 'name'>,
  repository: RepositoryFact | null,
  { visibility, sparse }: RepositorySettings,
): void {
  const access = repositoryAccess(principal, limits, name, repository);
  const lacks = (action: Action): boolean => !mayEffectively(action, access);
  if (visibility === 'public' && lacks('pull')) {
    throw new ApiError('denied', 'a key makes public only what it may read: it needs repo:pull');
  }
  if (sparse === true && lacks('push')) {
    throw new ApiError('denied', 'a key makes sparse only where it may push: it needs repo:push');
  }
}

/** A DTO has its absent fields as `undefined`. */
function given(settings: RepositorySettings): RepositorySettings {
  const entries: [string, unknown][] = Object.entries(settings);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
