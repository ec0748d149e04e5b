import { Injectable } from '@nestjs/common';
import { FactCache, type Subject } from '../cache/fact-cache.js';
import type { Transaction } from '../database/unit-of-work.js';
import { OutboxService } from './outbox.service.js';
import type { OutboxMessage } from './projections/outbox-messages.js';

export const FACTS_DROPPED = 'facts.dropped';

/** The freshness rule for writers: commit, drop, only then acknowledge. */
@Injectable()
export class FactDrops {
  /** What each transaction drops: all of it at once, since a cache that does not answer is waited for. */
  private readonly pending = new WeakMap<Transaction, Set<Subject>>();

  constructor(
    private readonly facts: FactCache,
    private readonly outbox: OutboxService,
  ) {}

  /** Whether `afterCommit` writes a message: then a write of one statement needs a transaction around it. */
  get addStatements(): boolean {
    return this.facts.shared;
  }

  /**
   * Drops the subjects' facts once the transaction is committed, or may be, and before `UnitOfWork.run` returns. Where
   * other nodes remember them too, a message in the same transaction lets any node repeat the drop if this one dies in
   * between. For what is no change of its own: an event drops what it makes stale.
   */
  async afterCommit(tx: Transaction, subjects: readonly Subject[]): Promise<void> {
    const message = this.messageOf(subjects);
    if (message) await this.outbox.append(tx, message);
    this.atEnd(tx, subjects);
  }

  /** What the outbox has of the drop; `null` where no other node remembers facts. */
  messageOf(subjects: readonly Subject[]): OutboxMessage | null {
    return this.facts.shared && subjects.length > 0 ? { type: FACTS_DROPPED, payload: { subjects } } : null;
  }

  /** The drop alone; whoever asks for it writes the message. */
  atEnd(tx: Transaction, subjects: readonly Subject[]): void {
    if (subjects.length === 0) return;
    const known = this.pending.get(tx);
    if (known) {
      for (const subject of subjects) known.add(subject);
      return;
    }
    const all = new Set(subjects);
    this.pending.set(tx, all);
    tx.afterEnd(() => this.facts.drop([...all]));
  }
}
