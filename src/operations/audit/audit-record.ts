import type { AuditEvent } from './audit-event.entity.js';

/** An entry that is no part of a transaction: how a request ended. */
export interface AuditRecord {
  /** RFC 3339 in UTC, to the microsecond. */
  readonly at: string;
  readonly id: string;
  /** Principal, such as `user:7`. */
  readonly actor: string;
  readonly credential: string | null;
  readonly address: string | null;
  readonly action: string;
  readonly resource: string;
  readonly namespaceId: number | null;
  /** Where the id is not known: the name of the namespace whose owners may see the entry. */
  readonly namespace: string | null;
  readonly outcome: AuditEvent['outcome'];
  readonly detail: Readonly<Record<string, unknown>> | null;
}
