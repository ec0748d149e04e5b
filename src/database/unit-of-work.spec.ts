import { beforeEach, describe, expect, it } from '@jest/globals';
import { type DataSource, type EntityManager, QueryFailedError } from 'typeorm';
import { type Transaction, UnitOfWork } from './unit-of-work.js';

const failure = (code: string): Error => new QueryFailedError('COMMIT', [], Object.assign(new Error(code), { code }));

describe('UnitOfWork', () => {
  let told: string[];
  let commits: (Error | null)[];
  let unitOfWork: UnitOfWork;

  beforeEach(() => {
    told = [];
    commits = [];
    const manager: Pick<EntityManager, 'query'> = { query: () => Promise.resolve([] as never) };
    const transaction = async <T>(work: (manager: EntityManager) => Promise<T>): Promise<T> => {
      const result = await work(manager as EntityManager);
      const refused = commits.shift() ?? null;
      if (refused) throw refused;
      told.push('commit');
      return result;
    };
    unitOfWork = new UnitOfWork({ manager, transaction } as unknown as DataSource);
  });

  const work = async (tx: Transaction): Promise<string> => {
    tx.afterCommit(() => void told.push('effect'));
    tx.afterEnd(() => void told.push('end'));
    await tx.query('SELECT 1');
    return 'result';
  };

  it('runs effects after the commit and before it returns', async () => {
    expect(await unitOfWork.run(work)).toBe('result');
    expect(told).toEqual(['commit', 'end', 'effect']);
  });

  it('runs what is right in any case also when nobody knows whether it was committed', async () => {
    commits = [new Error('Connection terminated unexpectedly')];
    await expect(unitOfWork.run(work)).rejects.toThrow('Connection terminated');
    expect(told).toEqual(['end']);
  });

  it('runs the work again when PostgreSQL asks for it', async () => {
    commits = [failure('40001'), failure('40P01')];
    expect(await unitOfWork.run(work)).toBe('result');
    expect(told).toEqual(['end', 'end', 'commit', 'end', 'effect']);
  });

  it('lets one statement be its own transaction, and no second one', async () => {
    expect(await unitOfWork.runStatement(work)).toBe('result');
    expect(told).toEqual(['end', 'effect']);
    const twice = async (tx: Transaction): Promise<string> => (await work(tx)) + (await work(tx));
    await expect(unitOfWork.runStatement(twice)).rejects.toThrow('a second statement');
  });

  it('leaves a lone statement that PostgreSQL took back to its connection, which has repeated it', async () => {
    let asked = 0;
    const deadlocked = (): Promise<never> => {
      asked += 1;
      return Promise.reject(failure('40P01'));
    };
    await expect(unitOfWork.runStatement(deadlocked)).rejects.toThrow();
    expect(asked).toBe(1);
  });
});
