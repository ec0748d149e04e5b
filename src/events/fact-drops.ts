import { Injectable } from '@nestjs/common';
import { FactCache, type Subject } from '../cache/fact-cache.js';
import type { Transaction } from '../database/unit-of-work.js';
import { OutboxService } from './outbox.service.js';

export const FACTS_DROPPED = 'facts.dropped';

/** The freshness rule for writers: commit, drop, only then acknowledge. */
@Injectable()
export class FactDrops {
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
   * between.
   */
  async afterCommit(tx: Transaction, subjects: readonly Subject[]): Promise<void> {
    if (this.facts.shared) await this.outbox.append(tx, { type: FACTS_DROPPED, payload: { subjects } });
    tx.afterEnd(() => this.facts.drop(subjects));
  }
}
