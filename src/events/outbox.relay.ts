import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { FactCache, type Subject } from '../cache/fact-cache.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { PeriodicTask } from '../periodic/periodic-task.js';
import { FACTS_DROPPED } from './fact-drops.js';

const EVERY_MS = 1_000;
const BATCH = 500;

// Each message is one node's at a time; a node that dies gives its rows back with its transaction.
const TAKE = `
WITH taken AS (
  DELETE FROM outbox WHERE id IN (
    SELECT id FROM outbox WHERE type = $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
  ) RETURNING payload
)
SELECT payload FROM taken`;

/**
 * Repeats the drops of committed writes, in case the writer died before its own, and deletes the messages. A drop
 * may happen twice; it never happens less than once.
 */
@Injectable()
export class OutboxRelay implements OnApplicationBootstrap, OnApplicationShutdown {
  /** While the database or the cache is away the messages wait. */
  private readonly task = new PeriodicTask({
    name: 'outbox-relay',
    pauseMs: EVERY_MS,
    jitter: 0,
    failure: 'outbox relay failed',
    run: (signal) => this.drain(signal),
  });

  constructor(
    private readonly facts: FactCache,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  onApplicationBootstrap(): void {
    // Without a shared cache there is nothing to relay.
    if (this.facts.shared) this.task.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** Relays one batch; the number of messages that it had. */
  relay(): Promise<number> {
    return this.unitOfWork.run(async (tx) => {
      const rows = await tx.query<{ payload: { subjects: Subject[] } }>(TAKE, [FACTS_DROPPED, BATCH]);
      const subjects = [...new Set(rows.flatMap(({ payload }) => payload.subjects))];
      // Before the commit: if the drop fails or this node dies, the messages are still there.
      if (subjects.length > 0) await this.facts.drop(subjects);
      return rows.length;
    });
  }

  private async drain(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.relay()) === BATCH);
  }
}
