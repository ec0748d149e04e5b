import { Injectable } from '@nestjs/common';
import type { Transaction } from '../database/unit-of-work.js';
import type { OutboxMessage } from './projections/outbox-messages.js';

/** Messages become visible to the relay exactly when the change that they belong to is committed. */
@Injectable()
export class OutboxService {
  async append(tx: Transaction, { type, payload }: OutboxMessage): Promise<void> {
    await tx.query('INSERT INTO outbox (type, payload) VALUES ($1, $2)', [type, JSON.stringify(payload)]);
  }
}
