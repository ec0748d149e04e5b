import type { NamespaceKind } from './namespace.entity.js';

/** Claims the name in $1: no row when it is taken. `createdBy` is SQL, of the larger statement's parameters. */
export const claimNamespace = (kind: NamespaceKind, createdBy = 'NULL'): string => `
  INSERT INTO namespaces (name, kind, held, created_by) VALUES ($1, '${kind}', false, ${createdBy})
  ON CONFLICT (name) WHERE released_at IS NULL DO NOTHING RETURNING id`;

/** Marks namespaces that a repository leaves; `select` gives their `id`. */
export const markHeld = (select: string): string => `
  UPDATE namespaces n SET held = true FROM (${select}) l WHERE n.id = l.id AND NOT n.held`;
