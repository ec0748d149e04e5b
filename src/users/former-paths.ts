import type { Subject } from '../cache/fact-cache.js';
import type { Transaction } from '../database/unit-of-work.js';

const FORGET = `
WITH gone AS (DELETE FROM repo_aliases WHERE path > $1 || '/' AND path < $1 || '0' RETURNING path)
SELECT path FROM gone`;

/**
 * Removes the paths in a namespace that repositories left, and gives the facts that this makes wrong. The repositories
 * are elsewhere by now: who gets the name next must not find their images there. Under the lock of the namespace's row,
 * since a rename may be about to leave one.
 */
export async function forgetFormerPaths(tx: Transaction, namespace: string): Promise<Subject[]> {
  const rows = await tx.query<{ path: string }>(FORGET, [namespace]);
  return rows.map(({ path }): Subject => `repo:${path}`);
}
