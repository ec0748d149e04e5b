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

const APPEND_ALL = `
INSERT INTO audit_events (at, id, actor, credential, address, action, resource, namespace_id, outcome, detail)
SELECT now(), e.id, $1::text, $2::text, $3::text, $4::text, e.resource, $5::bigint, 'allowed', e.detail::jsonb
FROM unnest($6::uuid[], $7::text[], $8::text[]) AS e(id, resource, detail)`;

/** Writes the audit log: an entry is in the transaction of the change that it tells of, so there is never one alone. */
@Injectable()
export class AuditTrail {
  async append(tx: Transaction, actor: Actor, entry: AuditEntry): Promise<void> {
    await tx.query(APPEND, entryParameters(actor, entry));
  }

  /** The same action on several things of one namespace, in one statement: a few hundred at most. */
  async appendAll(
    tx: Transaction,
    { principal, credential, address }: Actor,
    { action, namespaceId }: Pick<AuditEntry, 'action' | 'namespaceId'>,
    entries: readonly Pick<AuditEntry, 'resource' | 'detail'>[],
  ): Promise<void> {
    await tx.query(APPEND_ALL, [
      principal,
      credential,
      address,
      action,
      namespaceId,
      entries.map(() => randomUUID()),
      entries.map(({ resource }) => resource),
      entries.map(({ detail }) => (detail === undefined ? null : JSON.stringify(detail))),
    ]);
  }
}
