import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { sqlState } from '../../database/unit-of-work.js';
import { CLOCK } from './audit-clock.js';
import { AuditEventsRepository } from './audit-events.repository.js';
import { AuditPartitions } from './audit-partitions.js';
import type { AuditRecord } from './audit-record.js';
import { EntryBuffer } from './entry-buffer.js';
import { type Client, RepeatedEntries } from './repeated-entries.js';

const EVERY_MS = 1_000;
const CAPACITY = 10_000;
/** Rows of one statement. */
const BATCH = 1_000;

/**
 * Writes what has no transaction of its own, together and a moment later: a crash loses the last second of it. There is
 * one statement at a time, so that a flood of refused requests takes one connection and a bounded buffer, no more.
 */
@Injectable()
export class AuditWriter implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(AuditWriter.name);
  private readonly buffer = new EntryBuffer<AuditRecord>(CAPACITY);
  private readonly repeated = new RepeatedEntries();
  /** On its way. It stays the same until it is written, ids included, so that a repetition adds nothing. */
  private batch: readonly AuditRecord[] = [];
  private flushing: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private isFailing = false;

  constructor(
    private readonly events: AuditEventsRepository,
    private readonly partitions: AuditPartitions,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.addSums({ all: false });
      void this.flush();
    }, EVERY_MS).unref();
  }

  /** After the last request, while there is still a database. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    this.addSums({ all: true });
    await this.flush();
    await this.flush(); // the first may have begun before the last entry came
    const lost = this.batch.length + this.buffer.size;
    if (lost > 0) this.logger.error({ lost, message: 'entries of the audit log are lost' });
  }

  add(entry: AuditRecord): void {
    this.buffer.add(entry);
  }

  /** What a client may bring about as often as it likes: one entry, or counted in the sum that the minute ends with. */
  addRepeatable(entry: AuditRecord, client: Client): void {
    if (this.repeated.isWhole(entry, client)) this.add(entry);
  }

  /** Resolves when what was there is written, or cannot be now. */
  flush(): Promise<void> {
    this.flushing ??= this.writeAll().finally(() => {
      this.flushing = null;
    });
    return this.flushing;
  }

  private addSums(which: { readonly all: boolean }): void {
    for (const sum of this.repeated.takeSums(which)) this.add(sum);
  }

  private async writeAll(): Promise<void> {
    try {
      for (;;) {
        if (this.batch.length === 0) this.batch = this.next();
        if (this.batch.length === 0) break;
        await this.partitions.prepareMonth();
        await this.events.insert(this.batch);
        this.batch = [];
      }
      this.isFailing = false;
    } catch (error) {
      this.fail(error);
    }
  }

  private next(): AuditRecord[] {
    const lost = this.buffer.takeLost();
    const entries = this.buffer.take(BATCH);
    if (lost === 0) return entries;
    this.logger.error({ lost, message: 'too many entries for the audit log: the oldest are lost' });
    return [lossOf(lost), ...entries];
  }

  /** Said once, not every second for as long as the database is away. */
  private fail(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (isUnwritable(error)) {
      this.logger.error({ error: text, lost: this.batch.length, message: 'the audit log cannot have these entries' });
      this.batch = [lossOf(this.batch.length)];
    } else if (!this.isFailing) this.logger.warn({ error: text, message: 'the audit log is written later' });
    this.isFailing = true;
  }
}

/** A value that no repetition makes right; class 22 is "data exception". */
function isUnwritable(error: unknown): boolean {
  return sqlState(error)?.startsWith('22') === true;
}

function lossOf(entries: number): AuditRecord {
  return {
    at: CLOCK.next(),
    id: randomUUID(),
    actor: 'system',
    credential: null,
    address: null,
    action: 'audit.lost',
    resource: 'audit',
    namespaceId: null,
    namespace: null,
    outcome: 'failed',
    detail: { entries },
  };
}
