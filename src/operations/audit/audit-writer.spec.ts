import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import type { AuditEventsRepository } from './audit-events.repository.js';
import type { AuditPartitions } from './audit-partitions.js';
import type { AuditRecord } from './audit-record.js';
import { AuditWriter } from './audit-writer.js';

Logger.overrideLogger(false);

/** The database, which may be away. */
class Log {
  readonly statements: (readonly AuditRecord[])[] = [];
  failure: Error | null = null;
  atOnce = 0;
  mostAtOnce = 0;

  async insert(records: readonly AuditRecord[]): Promise<void> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    await new Promise((resolve) => setImmediate(resolve));
    this.atOnce -= 1;
    if (this.failure) throw this.failure;
    this.statements.push(records);
  }

  get written(): string[] {
    return this.statements.flat().map(({ action }) => action);
  }
}

let log: Log;
let writer: AuditWriter;

beforeEach(() => {
  log = new Log();
  const partitions = { prepareMonth: () => Promise.resolve() } as unknown as AuditPartitions;
  writer = new AuditWriter(log as unknown as AuditEventsRepository, partitions);
});

function add(...actions: string[]): void {
  for (const action of actions) {
    writer.add({
      at: new Date().toISOString(),
      id: randomUUID(),
      actor: 'anonymous',
      credential: null,
      address: null,
      action,
      resource: 'repo:acme/app',
      namespaceId: null,
      namespace: null,
      outcome: 'denied',
      detail: null,
    });
  }
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `n.${index}`);

describe('the writer of the audit log', () => {
  it('writes what came, in one statement', async () => {
    add('a', 'b', 'c');
    await writer.flush();
    expect(log.statements).toHaveLength(1);
    expect(log.written).toEqual(['a', 'b', 'c']);
    await writer.flush();
    expect(log.statements).toHaveLength(1);
  });

  it('keeps everything while the database is away, and sends the same rows again', async () => {
    log.failure = new Error('ECONNREFUSED');
    add('a');
    await writer.flush();
    add('b');
    await writer.flush();
    log.failure = null;
    await writer.flush();
    expect(log.written).toEqual(['a', 'b']);
  });

  it('has one statement on its way, whatever comes', async () => {
    for (let i = 0; i < 5; i++) {
      add(...numbered(1500));
      void writer.flush();
    }
    await writer.flush();
    await writer.flush();
    expect(log.mostAtOnce).toBe(1);
    expect(log.written).toHaveLength(7500);
  });

  it('loses the oldest of what is too much, and writes down how many', async () => {
    add(...numbered(10_005));
    await writer.flush();
    expect(log.written).toHaveLength(10_001);
    expect(log.statements[0]?.[0]).toMatchObject({
      actor: 'system',
      action: 'audit.lost',
      outcome: 'failed',
      detail: { entries: 5 },
    });
    expect(log.written.at(-1)).toBe('n.10004');
  });

  it('does not stop at what the database can never take', async () => {
    log.failure = new QueryFailedError('INSERT', [], Object.assign(new Error('bad value'), { code: '22P05' }));
    add('bad');
    await writer.flush();
    log.failure = null;
    add('good');
    await writer.flush();
    expect(log.written).toEqual(['audit.lost', 'good']);
  });

  it('writes the rest when the registry stops', async () => {
    writer.onApplicationBootstrap();
    add('a');
    void writer.flush();
    add('b');
    await writer.beforeApplicationShutdown();
    expect(log.written).toEqual(['a', 'b']);
  });
});
