import { Injectable } from '@nestjs/common';
import type { Subject } from '../../cache/fact-cache.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import type { Ended } from '../../events/domain-event.js';
import { EventHandlers } from '../../events/event-handlers.js';
import { FactDrops } from '../../events/fact-drops.js';

/** Grants of one transaction: others decide how many there are. */
const GRANTS_AT_ONCE = 10_000;

// A grant has its repository's path, also when a rename was waited for.
const REVOKE_GRANTS = `
WITH gone AS (
  DELETE FROM repo_grants WHERE id IN (SELECT id FROM repo_grants WHERE user_id = $1 LIMIT ${GRANTS_AT_ONCE})
  RETURNING path
) SELECT path FROM gone`;

const FORGET_FORMER_PATHS = `
WITH gone AS (
  DELETE FROM repo_aliases a USING unnest($1::text[]) AS n(name)
  WHERE a.path > n.name || '/' AND a.path < n.name || '0' RETURNING a.path
)
SELECT path FROM gone`;

/** What repositories have of users, organizations and namespaces that go. */
@Injectable()
export class RepoCleanupService {
  constructor(
    handlers: EventHandlers,
    private readonly factDrops: FactDrops,
    private readonly unitOfWork: UnitOfWork,
  ) {
    handlers.on('user.deleted', async (tx, users) => {
      const stale = await forgetFormerPaths(tx, users);
      for (const { id } of users) stale.push(...(await this.revokeAll(tx, id)));
      return stale;
    });
    handlers.on('organization.deleted', forgetFormerPaths);
    handlers.on('namespace.released', forgetFormerPaths);
  }

  /** The rest gives nothing to an account that is gone: what a process that dies after the commit leaves does no harm. */
  private async revokeAll(tx: Transaction, userId: number): Promise<Subject[]> {
    const stale = await revokeSome(tx, userId);
    if (stale.length === GRANTS_AT_ONCE) tx.afterCommit(() => this.revokeRest(userId));
    return stale;
  }

  private async revokeRest(userId: number): Promise<void> {
    const revoke = async (tx: Transaction): Promise<number> => {
      const stale = await revokeSome(tx, userId);
      await this.factDrops.afterCommit(tx, stale);
      return stale.length;
    };
    while ((await this.unitOfWork.run(revoke)) === GRANTS_AT_ONCE);
  }
}

/** Gives the facts of the repositories of a few grants. */
async function revokeSome(tx: Transaction, userId: number): Promise<Subject[]> {
  return subjectsOf(await tx.query(REVOKE_GRANTS, [userId]));
}

/**
 * The paths in the namespaces that repositories left. The repositories are elsewhere by now: who gets the name next must
 * not find their images there. Under the locks of the namespaces' rows, since a rename may be about to leave one.
 */
async function forgetFormerPaths(tx: Transaction, namespaces: readonly Ended[]): Promise<Subject[]> {
  return subjectsOf(await tx.query(FORGET_FORMER_PATHS, [namespaces.map(({ name }) => name)]));
}

function subjectsOf(rows: readonly { readonly path: string }[]): Subject[] {
  return rows.map(({ path }): Subject => `repo:${path}`);
}
