import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freshDatabase, type TestDatabase } from '../../test/support/postgres.js';
import { eventually } from '../../test/support/processes.js';
import { DatabaseConnection } from './database-connection.js';

const PREPARED = 'SELECT statement FROM pg_prepared_statements ORDER BY statement';

describe('a connection to the server itself', () => {
  let client: DatabaseConnection;
  let other: DatabaseConnection;
  let database: TestDatabase;

  beforeAll(async () => {
    database = await freshDatabase();
    [client, other] = [0, 1].map(() => new DatabaseConnection({ connectionString: database.url })) as [
      DatabaseConnection,
      DatabaseConnection,
    ];
    await Promise.all([client.connect(), other.connect()]);
    for (const one of [client, other]) await one.greet({ statementMs: 30_000, lockMs: 10_000 });
  }, 60_000);

  afterAll(() => Promise.all([client.end(), other.end()]));

  it('keeps each statement with parameters once, and answers as any other', async () => {
    for (const number of [1, 2, 3]) {
      const { rows } = await client.query<{ sum: number }>('SELECT $1::integer + 1 AS sum', [number]);
      expect(rows).toEqual([{ sum: number + 1 }]);
    }
    expect((await client.query(PREPARED)).rows).toEqual([{ statement: 'SELECT $1::integer + 1 AS sum' }]);
  });

  it('makes the same statement anew on another connection', async () => {
    expect((await other.query('SELECT $1::integer + 1 AS sum', [5])).rows).toEqual([{ sum: 6 }]);
  });

  it('reports an error of a prepared statement, and goes on', async () => {
    await expect(client.query('SELECT 1 / $1::integer', [0])).rejects.toThrow('division by zero');
    expect((await client.query('SELECT 1 / $1::integer AS one', [1])).rows).toEqual([{ one: 1 }]);
  });

  it('reads again when the server took a read back for the sake of a migration', async () => {
    await client.query('CREATE TABLE first (id integer)');
    await client.query('CREATE TABLE second (id integer)');
    await client.query("SET deadlock_timeout = '50ms'"); // it is this one that the server ends, and not the other
    await other.query("SET deadlock_timeout = '1min'");
    await other.query('BEGIN');
    await other.query('LOCK TABLE second');
    const read = client.query(
      'SELECT $1::integer AS here FROM first RIGHT JOIN second ON true RIGHT JOIN (SELECT) one ON true',
      [7],
    );
    await eventually('the read has the first table and waits for the second', async () => {
      const { rows } = await other.query('SELECT FROM pg_locks WHERE NOT granted');
      return rows.length === 1;
    });
    await other.query('LOCK TABLE first'); // only after the read was taken back
    await other.query('COMMIT');
    expect((await read).rows).toEqual([{ here: 7 }]);
  });

  it('sees the table as it is after a migration', async () => {
    await client.query('CREATE TABLE things (id integer, name text)');
    await client.query('INSERT INTO things VALUES ($1, $2)', [1, 'one']);
    await other.query('ALTER TABLE things ADD COLUMN more integer DEFAULT 7');
    await client.query('INSERT INTO things VALUES ($1, $2)', [2, 'two']);
    expect((await client.query('SELECT id, more FROM things WHERE id = $1', [2])).rows).toEqual([{ id: 2, more: 7 }]);
  });
});
