import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.js';
import type { Transaction } from '../database/unit-of-work.js';

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

/**
 * An entry as part of a larger statement, for changes that must not cost another round trip. Its parameters are those of
 * `entryParameters`, from number `first` on.
 */
export function insertEntry(first: number): string {
  const [id, actor, credential, address, action, resource, namespaceId, detail] = Array.from(
    { length: 8 },
    (_, index) => `$${first + index}`,
  );
  return `
INSERT INTO audit_events (at, id, actor, credential, address, action, resource, namespace_id, outcome, detail)
VALUES (now(), ${id}, ${actor}, ${credential}, ${address}, ${action}, ${resource}, ${namespaceId}, 'allowed', ${detail})`;
}

export function entryParameters(actor: Actor, { action, resource, namespaceId, detail }: AuditEntry): unknown[] {
  const { principal, credential, address } = actor;
  const text = detail === undefined ? null : JSON.stringify(detail);
  return [randomUUID(), principal, credential, address, action, resource, namespaceId, text];
}

const APPEND = insertEntry(1);

/** Writes the audit log: an entry is in the transaction of the change that it tells of, so there is never one alone. */
@Injectable()
export class AuditTrail {
  async append(tx: Transaction, actor: Actor, entry: AuditEntry): Promise<void> {
    await tx.query(APPEND, entryParameters(actor, entry));
  }
}
