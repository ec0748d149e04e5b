import { Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager, QueryFailedError } from 'typeorm';

/** A transaction in progress. It is passed as an argument: a function that takes one runs inside its caller's. */
export interface Transaction {
  readonly manager: EntityManager;
  /** Runs one statement in the transaction. `T` is the row's shape, which the statement must produce. */
  query<T>(sql: string, parameters?: unknown[]): Promise<T[]>;
  /** Effects that may happen only once the change is durable (cache, notifications); awaited before `run` returns. */
  afterCommit(effect: Effect): void;
  /**
   * Effects that are right however it ended; awaited before `run` returns or throws. When the connection is lost
   * during the commit, its result is unknown.
   */
  afterEnd(effect: Effect): void;
}

type Effect = () => Promise<void> | void;

/** A prepared statement that is unknown, known already or planned for the table as it was: the next attempt does without. */
const STATEMENT_FAILURES = ['26000', '42P05', '0A000'] as const;
/** And serialization_failure and deadlock_detected; after these a lone statement is repeated by its `DatabaseConnection`. */
const TRANSACTION_FAILURES = [...STATEMENT_FAILURES, '40001', '40P01'] as const;
const ATTEMPTS = 5;

@Injectable()
export class UnitOfWork {
  private readonly logger = new Logger(UnitOfWork.name);

  constructor(private readonly dataSource: DataSource) {}

  /**
   * Runs `work` in one transaction, again when PostgreSQL asks for it, and its effects after the commit.
   * `work` must therefore be free of effects of its own outside the database.
   */
  run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.repeat(TRANSACTION_FAILURES, () =>
      settled((effects) =>
        this.dataSource.transaction((manager) =>
          work({ manager, query: (sql, parameters) => manager.query(sql, parameters), ...effects }),
        ),
      ),
    );
  }

  /**
   * As `run`, for work that is one statement: it is its own transaction, which saves two of three round trips.
   * A second statement would not be in it, and throws.
   */
  async runStatement<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const { manager } = this.dataSource;
    return this.repeat(STATEMENT_FAILURES, () => {
      let statements = 0;
      return settled((effects) =>
        work({
          manager,
          query: (sql, parameters) => {
            if (++statements > 1) throw new Error('a second statement needs a transaction');
            return manager.query(sql, parameters);
          },
          ...effects,
        }),
      );
    });
  }

  private async repeat<T>(failures: readonly string[], attempt: () => Promise<T>): Promise<T> {
    for (let count = 1; ; count++) {
      try {
        return await attempt();
      } catch (error) {
        if (count === ATTEMPTS || !failures.includes(sqlState(error) ?? '')) throw error;
        this.logger.debug({ attempt: count, message: 'transaction is run again' });
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** count));
      }
    }
  }
}

/** Runs the work, then the effects that it asked for, in their order. */
async function settled<T>(work: (effects: Pick<Transaction, 'afterCommit' | 'afterEnd'>) => Promise<T>): Promise<T> {
  const [onCommit, onEnd]: [Effect[], Effect[]] = [[], []];
  let result: T;
  try {
    result = await work({
      afterCommit: (effect) => void onCommit.push(effect),
      afterEnd: (effect) => void onEnd.push(effect),
    });
  } finally {
    for (const effect of onEnd) await effect();
  }
  for (const effect of onCommit) await effect();
  return result;
}

/** The five-character SQLSTATE of a failed statement; `undefined` for every other error. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof QueryFailedError)) return undefined;
  const cause: unknown = error.driverError;
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : undefined;
}
