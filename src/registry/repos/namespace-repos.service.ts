import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import type { Transaction } from '../../database/unit-of-work.js';
import { EventsService } from '../../events/events.service.js';
import { ApiError } from '../../http/errors/api-error.js';
import { ReposRepository, type RepositoryRow } from './repos.repository.js';
import { repositoryDeleted } from './repo-changes.service.js';

/** What one transaction removes at most; also of former paths. */
export const MAX_FORCED = 10_000;
/** Repositories of one statement, each with up to 500 grants. */
const CHUNK = 500;

/** What is deleted together with a namespace. */
export interface NamespaceDeletion {
  readonly namespace: { readonly id: number; readonly name: string };
  /** How many repositories the caller says there are; `null` when none may be removed. */
  readonly confirmed: number | null;
  readonly actor: Actor;
}

/** The repositories of a namespace that goes. */
@Injectable()
export class NamespaceReposService {
  constructor(
    private readonly repositories: ReposRepository,
    private readonly events: EventsService,
  ) {}

  /**
   * Removes all of them, each as its own DELETE would. Under the lock of the namespace's row, which keeps new ones and
   * renames out. Throws `conflict` when their number is another than confirmed, and when there are too many. Those that
   * have no manifest are not counted: lists do not show them, and they must keep no namespace. Gives the number.
   */
  async removeAll(tx: Transaction, { namespace, confirmed, actor }: NamespaceDeletion): Promise<number> {
    const { count, listed, first } = await this.repositories.countIn(tx, namespace.name, MAX_FORCED + 1);
    if (count > MAX_FORCED) throw tooMany();
    refuseUnless(confirmed, listed, first);
    if (count === 0) return 0;
    const rows = await this.repositories.lockAllIn(tx, namespace.name);
    // One may have been deleted alone, or got its first manifest, while its lock was waited for.
    const present = rows.filter((row) => row.listed);
    refuseUnless(confirmed, present.length, present[0]?.path ?? null);
    const ids = rows.map(({ id }) => id);
    if ((await this.repositories.countFormerPaths(tx, ids, MAX_FORCED + 1)) > MAX_FORCED) {
      throw new ApiError('conflict', `its repositories have more than ${MAX_FORCED} former paths: release some first`);
    }
    for (const chunk of chunksOf(rows)) await this.remove(tx, chunk, namespace.id, actor);
    return present.length;
  }

  private async remove(
    tx: Transaction,
    rows: readonly RepositoryRow[],
    namespaceId: number,
    actor: Actor,
  ): Promise<void> {
    const ids = rows.map(({ id }) => id);
    const aliases = Map.groupBy(await this.repositories.remove(tx, ids, actor.principal), ({ repoId }) => repoId);
    const events = rows.map(({ id, path }) => {
      const former = (aliases.get(id) ?? []).map((alias) => alias.path);
      return repositoryDeleted({ id, path, namespaceId }, former, actor);
    });
    await this.events.recordEnds(tx, events);
  }
}

function tooMany(): ApiError {
  return new ApiError(
    'conflict',
    `it has more than ${MAX_FORCED} repositories: delete some first, many at once with POST /api/v1/deletions; ` +
      'those without a manifest are at GET /api/v1/namespaces/…/unfinished',
  );
}

function refuseUnless(confirmed: number | null, count: number, first: string | null): void {
  if (confirmed === count || (confirmed === null && count === 0)) return;
  const present = count === 1 ? '1 repository' : `${count} repositories`;
  if (confirmed !== null) throw new ApiError('conflict', `it has ${present}, not ${confirmed}`);
  throw new ApiError(
    'conflict',
    `it still has ${present}, such as ${first ?? ''}: delete or move them first, or all with force=true&repositories=${count}`,
  );
}

function chunksOf<T>(items: readonly T[]): T[][] {
  const count = Math.ceil(items.length / CHUNK);
  return Array.from({ length: count }, (_, index) => items.slice(index * CHUNK, (index + 1) * CHUNK));
}
