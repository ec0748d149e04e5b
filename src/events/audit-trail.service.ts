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

const APPEND = `
INSERT INTO audit_events (at, id, actor, credential, address, action, resource, namespace_id, outcome, detail)
VALUES (now(), $1, $2, $3, $4, $5, $6, $7, 'allowed', $8)`;

/** Writes the audit log: an entry is in the transaction of the change that it tells of, so there is never one alone. */
@Injectable()
export class AuditTrail {
  async append(tx: Transaction, actor: Actor, { action, resource, namespaceId, detail }: AuditEntry): Promise<void> {
    const { principal, credential, address } = actor;
    const text = detail === undefined ? null : JSON.stringify(detail);
    await tx.query(APPEND, [randomUUID(), principal, credential, address, action, resource, namespaceId, text]);
  }
}
