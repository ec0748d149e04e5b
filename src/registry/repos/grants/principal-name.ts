/**
 * SQL: the present name of the principal such as `user:7` that a column holds; null for one that is gone. A key on either
 * table is all it needs, row by row.
 */
export const principalName = (column: string): string => `
CASE split_part(${column}, ':', 1)
  WHEN 'user' THEN (SELECT u.username FROM users u
    WHERE u.id = split_part(${column}, ':', 2)::bigint AND u.deleted_at IS NULL)
  WHEN 'robot' THEN (SELECT r.name FROM robots r WHERE r.id = split_part(${column}, ':', 2)::bigint)
END`;
