import { Injectable } from '@nestjs/common';
import type { Transaction } from '../database/unit-of-work.js';

/** An effect to repeat if the node that made the change dies before it. */
export interface OutboxMessage {
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Messages become visible to the relay exactly when the change that they belong to is committed. */
@Injectable()
export class OutboxService {
  async append(tx: Transaction, { type, payload }: OutboxMessage): Promise<void> {
    await tx.query('INSERT INTO outbox (type, payload) VALUES ($1, $2)', [type, JSON.stringify(payload)]);
  }
}
