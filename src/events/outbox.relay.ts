import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { FactCache, type Subject } from '../cache/fact-cache.js';
import { UnitOfWork } from '../database/unit-of-work.js';
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
  private readonly logger = new Logger(OutboxRelay.name);
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private isStopped = false;

  constructor(
    private readonly facts: FactCache,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  onApplicationBootstrap(): void {
    // Without a shared cache there is nothing to relay.
    if (this.facts.shared) this.schedule();
  }

  async onApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    if (this.timer) clearTimeout(this.timer);
    await this.running;
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

  private schedule(): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      this.running = this.drain().finally(() => {
        this.schedule();
      });
    }, EVERY_MS).unref();
  }

  private async drain(): Promise<void> {
    try {
      while (!this.isStopped && (await this.relay()) === BATCH);
    } catch (error) {
      // The database or the cache is away; the messages wait.
      this.logger.warn({
        error: error instanceof Error ? error.message : String(error),
        message: 'outbox relay failed',
      });
    }
  }
}
