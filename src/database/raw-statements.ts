import { Injectable } from '@nestjs/common';
import { DataSource, type QueryRunner } from 'typeorm';
import type { DatabaseConnection } from './database-connection.js';
import type { Transaction } from './unit-of-work.js';

export interface RawResult {
  readonly rows: unknown[];
}

/** Of a text with several statements: a result for each. */
export type RawResults = RawResult | RawResult[];

/**
 * Statements of a package that brings its own SQL, as its author wrote them for pg: several in one text, some with their
 * own BEGIN and COMMIT. They run on the connections of the pool, and so through whatever pooler these go.
 */
@Injectable()
export class RawStatements {
  constructor(private readonly dataSource: DataSource) {}

  async run(text: string, values?: unknown[]): Promise<RawResults> {
    const runner = this.dataSource.createQueryRunner();
    try {
      return await send(runner, text, values);
    } catch (error) {
      // A text that began a transaction and failed in it has left it open.
      if (STARTS_TRANSACTION.test(text)) await send(runner, 'ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }

  /** As part of the transaction, which must have a connection of its own: `UnitOfWork.run`, not `runStatement`. */
  runIn(tx: Transaction, text: string, values?: unknown[]): Promise<RawResults> {
    const { queryRunner } = tx.manager;
    if (!queryRunner) throw new Error('this needs a transaction of more than one statement');
    return send(queryRunner, text, values);
  }
}

const STARTS_TRANSACTION = /^\s*BEGIN\b/i;

async function send(runner: QueryRunner, text: string, values?: unknown[]): Promise<RawResults> {
  const connection = (await runner.connect()) as DatabaseConnection;
  return values === undefined ? connection.query(text) : connection.query(text, values);
}
