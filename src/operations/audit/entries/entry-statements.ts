import { randomUUID } from 'node:crypto';
import type { Actor } from '../../../access/actor.js';

/** One change, as the audit log shows it. */
export interface AuditEntry {
  /** Stable, such as `repo.delete`: what, then the verb. */
  readonly action: string;
  /** What it was done to, such as `repo:acme/app`, `user:alice`, `org:acme`. */
  readonly resource: string;
  /** The namespace whose owners may see the entry; `null` for those that only administrators may. */
  readonly namespaceId: number | null;
  /** What changed, never a secret. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Entries of one actor or several, as rows of parameters. */
export type EntryRow = readonly unknown[];

const COLUMNS = ['uuid', 'text', 'text', 'text', 'text', 'text', 'bigint', 'text'] as const;
export const ENTRY_PARAMETERS = COLUMNS.length;

const INTO =
  'INSERT INTO audit_events (at, id, actor, credential, address, action, resource, namespace_id, outcome, detail)';

/** One entry; its parameters are a row's, from number `first` on. */
export function insertEntry(first: number): string {
  const [id, actor, credential, address, action, resource, namespaceId, detail] = COLUMNS.map(
    (_, index) => `$${first + index}`,
  );
  return `
${INTO}
VALUES (now(), ${id}, ${actor}, ${credential}, ${address}, ${action}, ${resource}, ${namespaceId}, 'allowed', ${detail})`;
}

/** Any number of entries; each parameter is a column of theirs. */
export function insertEntries(first: number): string {
  const columns = COLUMNS.map((type, index) => `$${first + index}::${type}[]`).join(', ');
  return `
${INTO}
SELECT now(), e.id, e.actor, e.credential, e.address, e.action, e.resource, e.namespace_id, 'allowed', e.detail::jsonb
FROM unnest(${columns})
  AS e(id, actor, credential, address, action, resource, namespace_id, detail)`;
}

export function entryParameters(actor: Actor, { action, resource, namespaceId, detail }: AuditEntry): unknown[] {
  const { principal, credential, address } = actor;
  const text = detail === undefined ? null : JSON.stringify(detail);
  return [randomUUID(), principal, credential, address, action, resource, namespaceId, text];
}

export function entryColumns(rows: readonly EntryRow[]): unknown[][] {
  return COLUMNS.map((_, column) => rows.map((row) => row[column]));
}
