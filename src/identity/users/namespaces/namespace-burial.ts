import type { Transaction } from '../../../database/unit-of-work.js';

// Former paths are of repositories that nodes of the version before moved away.
const BURY = `
WITH buried AS (
  UPDATE namespaces n SET deleted_at = now(), released_at = CASE WHEN $2 AND NOT n.held
    AND NOT EXISTS (
      SELECT FROM repos r WHERE r.namespace_id = n.id AND r.deleted_at IS NOT NULL AND r.listed_at IS NOT NULL
    )
    AND NOT EXISTS (SELECT FROM repo_aliases a WHERE a.path > n.name || '/' AND a.path < n.name || '0')
    THEN now() END
  WHERE n.id = $1 RETURNING n.released_at
)
SELECT released_at IS NOT NULL AS released FROM buried`;

/**
 * Ends a namespace whose repositories are gone, under the lock of its row and before its former paths are forgotten. True
 * when its name is free at once, since nothing was ever pulled by it; otherwise it stays taken. With `isKnown` it stays
 * in any case.
 */
export async function buryNamespace(tx: Transaction, id: number, isKnown = false): Promise<boolean> {
  const [row] = await tx.query<{ released: boolean }>(BURY, [id, !isKnown]);
  return row?.released === true;
}
