import { expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { freshDatabase } from '../../test/support/postgres.js';
import { isLockTimeout, isOutage } from '../http/errors/failure-causes.js';
import { dataSourceOptions } from './data-source-options.js';

it('gives up a row that others hold, so that its connection is free for somebody else', async () => {
  const { url, query } = await freshDatabase();
  await query('CREATE TABLE held (id int)');
  await query('INSERT INTO held VALUES (1)');
  const settings = { url, embedded: false, directUrl: null, maxConnections: 2 };
  const source = await new DataSource(
    dataSourceOptions(settings, { url, limits: { statementMs: 0, lockMs: 200 } }),
  ).initialize();
  try {
    await source.transaction(async (holder) => {
      await holder.query('SELECT * FROM held FOR UPDATE');
      const error: unknown = await source.query('SELECT * FROM held FOR UPDATE').catch((failure: unknown) => failure);
      expect([isLockTimeout(error), isOutage(error)]).toEqual([true, true]);
    });
  } finally {
    await source.destroy();
  }
});
