import { Injectable, Logger } from '@nestjs/common';
import { AppConfig } from '../../../config/config.js';
import { DatabaseStatistics } from '../../../database/database-statistics.js';
import { UnitOfWork } from '../../../database/unit-of-work.js';
import { withoutShare } from '../../../fairness/current-share.js';
import { InstrumentedStore } from '../../../storage/instrumented-store.js';
import { WriteCheck } from './write-check.js';
import { databaseReason, storeReason, type WriteReason } from './write-reasons.js';

export const WRITTEN = ['database', 'store'] as const;
export type Written = (typeof WRITTEN)[number];
export type Writes = Readonly<Record<Written, 'ok' | WriteReason>>;

/** Who asks waits no longer for an attempt than this, and is told what was known before it; milliseconds. */
const WAIT_MS = 1_000;
const WRITE = `
INSERT INTO write_check (single, checked_at) VALUES (true, now())
ON CONFLICT (single) DO UPDATE SET checked_at = excluded.checked_at`;

const ADVICE: Readonly<Record<Written, string>> = {
  database: 'pushes and changes fail, pulls go on; see AerugoWritesFail in docs/operations.md',
  store: 'pushes fail, pulls go on; see AerugoWritesFail in docs/operations.md',
};

/** Whether database and store take writes, for all who ask of this process. */
@Injectable()
export class WriteChecks {
  private readonly logger = new Logger('Writes');
  private readonly checks: Readonly<Record<Written, WriteCheck>>;
  private readonly failures = new Map<string, readonly [Written, WriteReason, number]>();

  constructor(unitOfWork: UnitOfWork, store: InstrumentedStore, database: DatabaseStatistics, { storage }: AppConfig) {
    const intervalMs = storage.writeCheckSeconds * 1000;
    const make = (part: Written, probe: () => Promise<void>, reasonOf: (error: unknown) => WriteReason): WriteCheck => {
      const changed = (reason: WriteReason | null, error: unknown): void => {
        this.report(part, reason, error);
      };
      return new WriteCheck({ probe, reasonOf, intervalMs, changed });
    };
    const write = async (): Promise<void> => {
      await unitOfWork.runStatement((tx) => tx.query(WRITE));
    };
    this.checks = {
      database: make('database', write, databaseReason),
      store: make('store', () => store.checkWrite(), storeReason),
    };
    store.onWriteFailed = (error) => {
      this.failed('store', storeReason(error));
    };
    database.onWriteRefused((state) => {
      this.failed('database', databaseReason(state));
    });
  }

  /** What is known, after an attempt where it is time for one. */
  async outcomes(): Promise<Writes> {
    await within(WAIT_MS, this.look());
    return { database: this.checks.database.reason ?? 'ok', store: this.checks.store.reason ?? 'ok' };
  }

  /** Has it tried where it is time, for who does not need to know. */
  async look(): Promise<void> {
    await withoutShare(() => Promise.all(Object.values(this.checks).map((check) => check.look())));
  }

  /** How many writes have failed, checks not counted. */
  *counts(): Generator<readonly [Written, WriteReason, number]> {
    for (const part of WRITTEN) yield [part, 'full', 0];
    yield* this.failures.values();
  }

  private failed(part: Written, reason: WriteReason): void {
    const name = `${part} ${reason}`;
    this.failures.set(name, [part, reason, (this.failures.get(name)?.[2] ?? 0) + 1]);
    this.checks[part].doubt();
    void this.look();
  }

  private report(part: Written, reason: WriteReason | null, error: unknown): void {
    if (reason === null) this.logger.log({ event: 'writes.succeed', part, message: `the ${part} takes writes again` });
    else
      this.logger.warn({
        event: 'writes.fail',
        part,
        reason,
        message: `the ${part} takes no writes (${reason}: ${String(error)}): ${ADVICE[part]}`,
      });
  }
}

async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, milliseconds, undefined);
  await Promise.race([promise, work]);
  clearTimeout(timer);
}
