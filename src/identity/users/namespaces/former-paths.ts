import type { Subject } from '../../../cache/fact-cache.js';
import type { Transaction } from '../../../database/unit-of-work.js';

const FORGET = `
WITH gone AS (
  DELETE FROM repo_aliases a USING unnest($1::text[]) AS n(name)
  WHERE a.path > n.name || '/' AND a.path < n.name || '0' RETURNING a.path
)
SELECT path FROM gone`;

/**
 * Removes the paths in namespaces that repositories left, and gives the facts that this makes wrong. The repositories
 * are elsewhere by now: who gets the name next must not find their images there. Under the locks of the namespaces' rows,
 * since a rename may be about to leave one.
 */
export async function forgetFormerPaths(tx: Transaction, namespaces: readonly string[]): Promise<Subject[]> {
  const rows = await tx.query<{ path: string }>(FORGET, [namespaces]);
  return rows.map(({ path }): Subject => `repo:${path}`);
}
