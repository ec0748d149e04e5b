import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { AppConfig } from '../../config/config.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import { PeriodicTask } from '../../periodic/periodic-task.js';
import { type Month, monthOf, monthOfPartition, monthStart, oldestKept, partitionName } from './audit-months.js';

/** Any constant, which is not the one of migrations. */
const LOCK = 7_236_402;
/** Beside the present one, so that a month's partition exists before its first entry. */
const MONTHS_AHEAD = 2;
const RETRY_MS = 600_000;

const COLUMNS = 'at, id, actor, credential, address, action, resource, namespace_id, outcome, detail';
const NOW = 'SELECT now() AS now';
const PARTITIONS = `
SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'audit_events'::regclass`;
const UNSORTED = `
SELECT DISTINCT date_trunc('month', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS month FROM audit_events_default`;

interface Plan {
  readonly create: readonly Month[];
  readonly drop: readonly string[];
  /** Rows in the default partition that belong into a month's, or nowhere any more. */
  readonly isUnsorted: boolean;
  readonly oldest: Month;
}

/**
 * The months of the audit log: partitions for this one and the next two, and none that is wholly older than
 * `AUDIT_MONTHS`. Each node does it when it starts and when it writes into a month that it has not seen; a job does it
 * daily. The database's clock says which month it is.
 */
@Injectable()
export class AuditPartitions implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly months: number;
  private prepared: Month | null = null;
  /** Nothing is lost while it fails: the default partition takes what no month's does. */
  private readonly task = new PeriodicTask({
    name: 'audit-partitions',
    pauseMs: RETRY_MS,
    failure: 'partitions of the audit log are made later',
    run: () => this.attempt(),
  });

  constructor(
    private readonly unitOfWork: UnitOfWork,
    { security }: AppConfig,
  ) {
    this.months = security.auditMonths;
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.keepUp();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** Before a write: does nothing but in a month that this node has not seen yet. */
  async prepareMonth(now = new Date()): Promise<void> {
    if (this.prepared !== monthOf(now)) await this.keepUp();
  }

  /** Makes and drops what the time `now` asks for; by default the database's. Safe on many nodes at once. */
  ensure(now?: Date): Promise<void> {
    return this.unitOfWork.run((tx) => this.ensureIn(tx, now));
  }

  async ensureIn(tx: Transaction, now?: Date): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const seen = await this.plan(tx, now);
    if (seen.create.length === 0 && seen.drop.length === 0 && !seen.isUnsorted) return;
    // Others wait behind this lock as long as it waits itself: rather later than long. A month ahead there is time.
    await tx.query(`SET LOCAL lock_timeout = '2s'`);
    await tx.query(`SET LOCAL statement_timeout = '10min'`);
    await tx.query('LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE');
    await carryOut(tx, await this.plan(tx, now)); // rows may have come while it waited
  }

  private async plan(tx: Transaction, now: Date | undefined): Promise<Plan> {
    const [clock] = now ? [{ now }] : await tx.query<{ now: Date }>(NOW);
    const thisMonth = monthOf(clock?.now ?? new Date());
    const oldest = oldestKept(thisMonth, this.months);
    const names = (await tx.query<{ name: string }>(PARTITIONS)).map(({ name }) => name);
    const unsorted = (await tx.query<{ month: Date }>(UNSORTED)).map(({ month }) => monthOf(month));
    const ahead = Array.from({ length: MONTHS_AHEAD + 1 }, (_, index) => thisMonth + index);
    const wanted = [...new Set([...ahead, ...unsorted.filter((month) => month >= oldest)])];
    return {
      create: wanted.filter((month) => !names.includes(partitionName(month))),
      drop: names.filter((name) => (monthOfPartition(name) ?? oldest) < oldest),
      isUnsorted: unsorted.length > 0,
      oldest,
    };
  }

  private keepUp(): Promise<void> {
    this.prepared = monthOf(new Date());
    return this.task.now();
  }

  private async attempt(): Promise<void> {
    try {
      await this.ensure();
    } catch (error) {
      this.task.soon();
      throw error;
    }
  }
}

/** The names are this program's own. Rows are never deleted one by one: what has to move moves into a new default. */
async function carryOut(tx: Transaction, { create, drop, isUnsorted, oldest }: Plan): Promise<void> {
  if (isUnsorted) {
    await tx.query('ALTER TABLE audit_events DETACH PARTITION audit_events_default');
    await tx.query('ALTER TABLE audit_events_default RENAME TO audit_events_unsorted');
  }
  for (const month of create) {
    const bounds = `FROM ('${monthStart(month)}') TO ('${monthStart(month + 1)}')`;
    await tx.query(`CREATE TABLE ${partitionName(month)} PARTITION OF audit_events FOR VALUES ${bounds}`);
  }
  if (isUnsorted) {
    await tx.query('CREATE TABLE audit_events_default PARTITION OF audit_events DEFAULT');
    const rows = `SELECT ${COLUMNS} FROM audit_events_unsorted WHERE at >= $1::timestamptz`;
    await tx.query(`INSERT INTO audit_events (${COLUMNS}) ${rows}`, [monthStart(oldest)]);
    await tx.query('DROP TABLE audit_events_unsorted');
  }
  for (const name of drop) await tx.query(`DROP TABLE ${name}`);
}
