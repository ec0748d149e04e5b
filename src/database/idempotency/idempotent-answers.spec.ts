import { createHash } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { contentServices, type ContentServices } from '../../../test/support/content-services.js';
import type { AppConfig } from '../../config/config.js';
import { loadConfig } from '../../config/load-config.js';
import { IdempotentCreate } from './idempotent-create.entity.js';
import { IdempotentCreates } from './idempotent-creates.service.js';
import { IdempotentAnswersSweeper, KEPT_FOR_ONE } from './idempotent-answers-sweeper.js';

const configOf = (secret: string): AppConfig => loadConfig({}, null, () => secret.repeat(32));

describe('answers of creates under an Idempotency-Key', () => {
  let services: ContentServices;
  let creates: IdempotentCreates;
  let sweeper: IdempotentAnswersSweeper;

  beforeAll(async () => {
    services = await contentServices();
    creates = new IdempotentCreates(services.unitOfWork, configOf('a'));
    sweeper = new IdempotentAnswersSweeper(services.repository(IdempotentCreate), configOf('a'));
  }, 60_000);

  beforeEach(() => services.database.query('TRUNCATE idempotent_creates'));

  const create = (key: string, answer: string, by = creates): Promise<string> =>
    by.run({ principal: 'user:1', key, request: 'POST /x' }, () => Promise.resolve(answer));
  const kept = async (): Promise<string[]> =>
    (await services.database.query<{ key: string }>('SELECT key FROM idempotent_creates ORDER BY key')).map(
      ({ key }) => key,
    );
  const age = (key: string, hours: number): Promise<unknown> =>
    services.database.query(
      `UPDATE idempotent_creates SET created_at = now() - $2 * interval '1 hour' WHERE key = $1`,
      [key, hours],
    );
  const fill = (principal: string, count: number): Promise<unknown> =>
    services.database.query(
      `INSERT INTO idempotent_creates (principal, key, request, response, created_at)
       SELECT $1, 'k' || n, '', '', now() - n * interval '1 second' FROM generate_series(1, $2) AS n`,
      [principal, count],
    );

  it('are removed after a day, also of accounts that create nothing any more', async () => {
    await create('young', 'a');
    await create('old', 'b');
    await age('old', 25);
    await sweeper.sweep();
    expect(await kept()).toEqual(['young']);
  });

  it('are not given after a day, swept or not', async () => {
    await create('again', 'first');
    expect(await create('again', 'second')).toBe('first');
    await age('again', 25);
    expect(await create('again', 'third')).toBe('third');
    expect(await create('again', 'fourth')).toBe('third');
  });

  it('are bounded for each account: the youngest stay', async () => {
    await fill('user:2', KEPT_FOR_ONE + 2_500);
    await fill('user:3', 10);
    await sweeper.sweep();
    const rows = await services.database.query(
      'SELECT principal, count(*)::int AS count, max(now() - created_at) < $1 AS young FROM idempotent_creates GROUP BY 1 ORDER BY 1',
      [`${KEPT_FOR_ONE + 60} seconds`],
    );
    expect(rows).toEqual([
      { principal: 'user:2', count: KEPT_FOR_ONE, young: true },
      { principal: 'user:3', count: 10, young: true },
    ]);
  });

  it('are stored with no hash that allows guessing a password, also when they are repeated', async () => {
    const first = { principal: 'user:1', key: 'k', request: 'POST /users {"password":"swordfish"}', hasPassword: true };
    const run = (asked: typeof first, by = creates): Promise<string> => by.run(asked, () => Promise.resolve('made'));
    const plain = createHash('sha256').update(first.request).digest();
    const same = async (): Promise<unknown> =>
      (await services.database.query('SELECT request = $1 AS same FROM idempotent_creates', [plain]))[0];
    expect(await run(first)).toBe('made');
    expect(await same()).toEqual({ same: false });
    await expect(create('k', 'again')).rejects.toMatchObject({ name: 'IdempotencyKeyReused' });
    expect(await run(first)).toBe('made');
    await expect(run({ ...first, request: `${first.request} ` })).rejects.toMatchObject({
      name: 'IdempotencyKeyReused',
    });
    const other = new IdempotentCreates(services.unitOfWork, configOf('b'));
    await expect(run(first, other)).rejects.toMatchObject({ name: 'KeptAnswerUnreadable' });
    // As written by a node of the version before.
    await services.database.query('UPDATE idempotent_creates SET request = $1', [plain]);
    expect(await run(first)).toBe('made');
  });

  it('that were kept under another secret are refused as such, and stay for nodes that have it', async () => {
    const other = new IdempotentCreates(services.unitOfWork, configOf('b'));
    await create('rotated', 'secret');
    await expect(create('rotated', 'another', other)).rejects.toMatchObject({ name: 'KeptAnswerUnreadable' });
    expect(await create('rotated', 'another')).toBe('secret');
  });
});
