import { Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager, QueryFailedError } from 'typeorm';

/** A transaction in progress. It is passed as an argument: a function that takes one runs inside its caller's. */
export interface Transaction {
  readonly manager: EntityManager;
  /** Runs one statement in the transaction. `T` is the row's shape, which the statement must produce. */
  query<T>(sql: string, parameters?: unknown[]): Promise<T[]>;
  /** Effects that may happen only once the change is durable (cache, notifications); awaited before `run` returns. */
  afterCommit(effect: () => Promise<void> | void): void;
}

/** serialization_failure and deadlock_detected: PostgreSQL asks for the same transaction again. */
const RETRYABLE = new Set(['40001', '40P01']);
const ATTEMPTS = 5;

@Injectable()
export class UnitOfWork {
  private readonly logger = new Logger(UnitOfWork.name);

  constructor(private readonly dataSource: DataSource) {}

  /**
   * Runs `work` in one transaction, again when PostgreSQL asks for it, and its effects after the commit.
   * `work` must therefore be free of effects of its own outside the database.
   */
  async run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(work);
      } catch (error) {
        if (attempt === ATTEMPTS || !isRetryable(error)) throw error;
        this.logger.debug({ attempt, message: 'transaction is run again' });
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** attempt));
      }
    }
  }

  private async attempt<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const effects: (() => Promise<void> | void)[] = [];
    const result = await this.dataSource.transaction((manager) =>
      work({
        manager,
        query: (sql, parameters) => manager.query(sql, parameters),
        afterCommit: (effect) => effects.push(effect),
      }),
    );
    for (const effect of effects) await effect();
    return result;
  }
}

function isRetryable(error: unknown): boolean {
  return RETRYABLE.has(sqlState(error) ?? '');
}

/** The five-character SQLSTATE of a failed statement; `undefined` for every other error. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof QueryFailedError)) return undefined;
  const cause: unknown = error.driverError;
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : undefined;
}
