import { Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.js';
import type { Transaction } from '../database/unit-of-work.js';
import {
  type AuditEntry,
  entryColumns,
  entryParameters,
  insertEntries,
  insertEntry,
} from './projections/audit-entries.js';

const APPEND = insertEntry(1);
const APPEND_ALL = insertEntries(1);

/** Writes the audit log: an entry is in the transaction of the change that it tells of, so there is never one alone. */
@Injectable()
export class AuditTrail {
  async append(tx: Transaction, actor: Actor, entry: AuditEntry): Promise<void> {
    await tx.query(APPEND, entryParameters(actor, entry));
  }

  /** The same action on several things of one namespace, in one statement: a few hundred at most. */
  async appendAll(
    tx: Transaction,
    actor: Actor,
    { action, namespaceId }: Pick<AuditEntry, 'action' | 'namespaceId'>,
    entries: readonly Pick<AuditEntry, 'resource' | 'detail'>[],
  ): Promise<void> {
    const rows = entries.map((entry) => entryParameters(actor, { ...entry, action, namespaceId }));
    await tx.query(APPEND_ALL, entryColumns(rows));
  }
}
