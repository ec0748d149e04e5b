import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../access/actor.js';
import { mayEffectively } from '../../../access/policy.js';
import type { Caller, CallerRights } from '../../../access/caller.js';
import { type Transaction, UnitOfWork } from '../../../database/unit-of-work.js';
import { EventsService } from '../../../events/events.service.js';
import { ApiError } from '../../../http/errors/api-error.js';
import type { RepositoryFact, RepositoryTarget } from '../../../access/repository-fact.js';
import { namespaceOf, type RepositoryName } from '../../../oci/repository-name.js';
import { atPresentPath } from '../requested-repo.decorator.js';
import { holdsByStanding, managesByStanding, managesNamespace, repositoryAccess } from '../repo-access.js';
import { ReposRepository } from '../repos.repository.js';
import { placeOf } from '../repository-place.js';
import { type Alias, RepoMovesRepository } from './repo-moves.repository.js';
import type { Keyset } from '../visible-repos.repository.js';

/** Former paths of one repository: each rename loads and drops all of them. */
export const MAX_ALIASES = 100;

/** A former path that is to be given up, and the path by which that was asked. */
export interface Release {
  readonly asked: RepositoryTarget['name'];
  readonly repository: RepositoryFact;
  readonly alias: string;
}

interface Move {
  readonly repository: RepositoryFact;
  readonly to: RepositoryName;
  readonly actor: Actor;
}

/** Renames repositories, also into other namespaces. Rows only: content belongs to the repository's id. */
@Injectable()
export class RepoMovesService {
  constructor(
    private readonly repositories: ReposRepository,
    private readonly moves: RepoMovesRepository,
    private readonly events: EventsService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * The caller manages the repository, and needs every right by standing where it is and where it goes. The path that it
   * leaves resolves for pulls until it is released. Throws `denied`, `impossible` for a namespace that does not exist,
   * `nameTaken`, `conflict`.
   */
  async rename(repository: RepositoryFact, to: RepositoryName, caller: Caller): Promise<void> {
    requireStanding(caller, to);
    requireStanding(caller, repository.path);
    if (to === repository.path) return;
    await this.unitOfWork.run((tx) => this.move(tx, { repository, to, actor: caller.actor }));
  }

  listAliases({ id }: RepositoryFact, keyset: Keyset): Promise<Alias[]> {
    return this.moves.list(id, keyset);
  }

  /** Every former path in a namespace; not their targets, which may be private. Throws `denied`. */
  listAliasesIn(namespace: string, caller: CallerRights, keyset: Keyset): Promise<Alias[]> {
    if (!managesNamespace(caller, namespace)) {
      throw new ApiError('denied', `you may not manage repositories in "${namespace}"`);
    }
    return this.moves.listIn(namespace, keyset);
  }

  /**
   * Frees the path for a new repository. Asked by the repository's present path any former one
   * can be released; asked by a former path that one alone, by who manages its namespace by standing. Throws `notFound`,
   * and `conflict` for who manages the repository and asked by another path.
   */
  async release(release: Release, caller: Caller): Promise<void> {
    requireReleasable(release, caller);
    const { repository, alias } = release;
    await this.unitOfWork.run(async (tx) => {
      const namespaces = await this.moves.lockNamespaces(tx, [alias.split('/', 1)[0] ?? '']);
      if (!(await this.moves.release(tx, repository.id, alias))) throw new ApiError('notFound');
      // The owners of the namespace that the path is in see it too.
      const others = [...namespaces.values()].filter((id) => id !== repository.namespaceId);
      await this.events.record(tx, {
        type: 'repository.alias.released',
        actor: caller.actor,
        ...placeOf(repository),
        alsoIn: others.map((namespaceId) => ({ namespaceId, resource: `repo:${alias}` })),
        data: { alias },
        stale: [`repo:${alias}`],
      });
    });
  }

  private async move(tx: Transaction, { repository, to, actor }: Move): Promise<void> {
    const { id, path: from } = repository;
    // Namespaces first, then the repository: the common lock order.
    const namespaces = await this.moves.lockNamespaces(tx, [namespaceOf(from), namespaceOf(to)]);
    const namespaceId = namespaces.get(namespaceOf(to));
    if (namespaceId === undefined) throw new ApiError('impossible', `there is no namespace "${namespaceOf(to)}"`);
    if (!(await this.repositories.lock(tx, repository))) {
      throw new ApiError('conflict', 'the repository was renamed or deleted meanwhile');
    }
    if (await this.moves.isTaken(tx, to, id)) throw new ApiError('nameTaken', `"${to}" is or was another repository`);
    const aliases = await this.moves.aliases(tx, id);
    if (aliases.length >= MAX_ALIASES && !aliases.includes(to)) {
      throw new ApiError('conflict', `it has left ${MAX_ALIASES} paths already: release some of them`);
    }
    await this.moves.move(tx, id, { from, to, namespaceId });
    const revoked = namespaceId === repository.namespaceId ? [] : await this.moves.revokeStrangers(tx, id, namespaceId);
    await this.events.record(tx, {
      type: 'repository.renamed',
      actor,
      ...placeOf(repository),
      // Owners of both namespaces see what left and what came.
      alsoIn: namespaceId === repository.namespaceId ? [] : [{ namespaceId, resource: `repo:${to}` }],
      data: { from, to, ...(revoked.length > 0 ? { revoked } : {}) },
      stale: [...new Set([from, to, ...aliases])].map((path) => `repo:${path}` as const),
    });
  }
}

function requireReleasable({ asked, repository, alias }: Release, caller: CallerRights): void {
  if (asked === repository.path || (asked === alias && managesByStanding(caller, asked))) return;
  // Only who manages the repository is told where it is.
  if (mayEffectively('manage', repositoryAccess(caller.principal, caller.limits, asked, repository))) {
    atPresentPath(asked, repository);
  }
  throw new ApiError('notFound');
}

/**
 * To move a repository, the caller must have by standing alone, in both namespaces, what its owner has there: the path
 * that it leaves goes on serving what it has. What the namespace's members and keys for a path may do there they may do
 * with it from now on, so the credential must be allowed to do it too.
 */
function requireStanding(caller: CallerRights, path: RepositoryName): void {
  if (holdsByStanding(caller, path)) return;
  // The same for a namespace that does not exist.
  if (!managesByStanding(caller, path)) {
    throw new ApiError('denied', `you may not manage repositories in "${namespaceOf(path)}"`);
  }
  throw new ApiError('denied', `a rename hands on every right: the key needs every scope for "${path}"`);
}
