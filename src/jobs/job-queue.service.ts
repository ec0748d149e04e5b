import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Db, PgBoss, SendOptions } from 'pg-boss';
import { AppConfig } from '../config/config.js';
import { RawStatements } from '../database/raw-statements.js';
import { type Transaction, UnitOfWork } from '../database/unit-of-work.js';
import { withoutShare } from '../fairness/current-share.js';
import type { Ids, JobType } from './job-type.js';
import { type JobsConfig, JOBS_CONFIG } from './jobs.config.js';
import { QUEUE_TIMES } from './queue-times.js';

const ONE_YEAR = 365 * 24 * 3600;
/** For running handlers to end once they are told; the process has ten seconds in all. */
const STOP_MS = 5_000;
/** Between two lines of the log: without a database every poll of every queue fails. */
const QUIET_MS = 60_000;

/**
 * pg-boss over the pool of this process: no connection of its own and no session state, so that a pooler in transaction
 * mode is as good as the server. It is loaded when it is first needed, since that takes a third of a second.
 */
@Injectable()
export class JobQueue implements OnApplicationShutdown {
  private readonly logger = new Logger(JobQueue.name);
  private readonly queues = new Map<string, Promise<void>>();
  private starting: Promise<PgBoss> | null = null;
  private quietUntil = -Infinity;
  private isStopped = false;

  private readonly config: JobsConfig;

  constructor(
    private readonly statements: RawStatements,
    private readonly unitOfWork: UnitOfWork,
    config: AppConfig,
  ) {
    this.config = config.of(JOBS_CONFIG);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.stop();
  }

  /** Rejects while the database is away; the next call tries again. */
  get(): Promise<PgBoss> {
    this.starting ??= withoutShare(() => this.start()).catch((error: unknown) => {
      this.starting = null;
      throw error;
    });
    return this.starting;
  }

  /** Makes the queue of the type, once in the life of the process. */
  ensure<P extends Ids<P>>(type: JobType<P>): Promise<void> {
    let made = this.queues.get(type.name);
    made ??= this.make(type).catch((error: unknown) => {
      this.queues.delete(type.name);
      throw error;
    });
    this.queues.set(type.name, made);
    return made;
  }

  /** Every job carries its rules: nodes of two versions share the queue and not always the rules. */
  optionsOf<P extends Ids<P>>({ rules: { retry, timeoutSeconds } }: JobType<P>): SendOptions {
    return {
      retryLimit: retry.attempts - 1,
      retryDelay: retry.firstDelaySeconds,
      retryDelayMax: retry.maxDelaySeconds,
      retryBackoff: true,
      expireInSeconds: timeoutSeconds,
      heartbeatSeconds: QUEUE_TIMES.heartbeatSeconds,
      retentionSeconds: ONE_YEAR,
      deleteAfterSeconds: this.config.retentionSeconds,
    };
  }

  /** For what pg-boss is to do as part of the transaction. */
  within(tx: Transaction): Db {
    return { executeSql: async (text, values) => rowsOf(await this.statements.runIn(tx, text, values)) };
  }

  /** Waits for handlers that run, which must have been told to end. */
  async stop(): Promise<void> {
    if (this.isStopped) return;
    this.isStopped = true;
    const boss = await this.starting?.catch(() => null);
    await boss?.stop({ graceful: true, timeout: STOP_MS });
  }

  private async make<P extends Ids<P>>({ name, rules }: JobType<P>): Promise<void> {
    const boss = await this.get();
    const policy = rules.isUnique ? 'exclusive' : 'standard';
    await boss.createQueue(name, { policy, heartbeatSeconds: QUEUE_TIMES.heartbeatSeconds });
  }

  private async start(): Promise<PgBoss> {
    if (this.isStopped) throw new Error('the node stops');
    const { PgBoss } = await import('pg-boss');
    const [schema] = await this.unitOfWork.runStatement((tx) =>
      tx.query<{ name: string }>('SELECT quote_ident(current_schema()) AS name'),
    );
    const boss = new PgBoss({
      db: { executeSql: async (text, values) => rowsOf(await this.statements.run(text, values)) },
      schema: schema?.name ?? 'public',
      createSchema: false,
      superviseIntervalSeconds: QUEUE_TIMES.superviseSeconds,
      monitorIntervalSeconds: QUEUE_TIMES.superviseSeconds,
      cronMonitorIntervalSeconds: QUEUE_TIMES.cronSeconds,
      cronWorkerIntervalSeconds: QUEUE_TIMES.cronSeconds,
      // None of its jobs wait for others.
      flowIntervalSeconds: 24 * 3600,
      // The migrations own the schema and every index of it; traces, metrics and nodes are this program's own.
      reindex: false,
      monitorVacuum: false,
      registerInstance: false,
      openTelemetry: { enabled: false },
    });
    boss.on('error', (error) => {
      this.warn(error.message, 'the job queue could not ask the database');
    });
    boss.on('warning', ({ message }) => {
      this.warn(message, 'the job queue is slow');
    });
    return boss.start();
  }

  private warn(error: string, message: string): void {
    const now = performance.now();
    if (this.isStopped || now < this.quietUntil) return;
    this.quietUntil = now + QUIET_MS;
    this.logger.warn({ error, message });
  }
}

type Answer = Awaited<ReturnType<Db['executeSql']>>;

/** pg-boss itself takes what pg gives for a text of several statements: a list of results. */
function rowsOf(result: unknown): Answer {
  return result as Answer;
}
