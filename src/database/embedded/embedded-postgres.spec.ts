import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { ensureDataDir } from '../../config/data-dir.js';
import { StartupError } from '../../config/startup-error.js';
import { EmbeddedPostgres } from './embedded-postgres.js';
import { identify } from './process-identity.js';
import { readPostmaster } from './postmaster-file.js';

jest.setTimeout(60_000);

describe('the data directory of the embedded database', () => {
  let root: string;
  let dataDir: string;
  const started: EmbeddedPostgres[] = [];

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'aerugo-pg-'));
    chmodSync(root, 0o755); // the database may run as another user
    dataDir = join(root, 'data');
  });

  afterEach(async () => {
    await Promise.all(started.splice(0).map((database) => database.stop()));
    rmSync(root, { recursive: true });
  });

  async function start(directory = dataDir): Promise<{ database: EmbeddedPostgres; said: string[] }> {
    ensureDataDir(directory);
    const said: string[] = [];
    const say = (line: string): void => void said.push(line);
    const database = await EmbeddedPostgres.start({ dataDir: directory, maxConnections: 10, say });
    started.push(database);
    return { database, said };
  }

  async function query(database: EmbeddedPostgres, sql: string): Promise<unknown> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      return Object.values((await client.query<Record<string, unknown>>(sql)).rows[0] ?? {})[0];
    } finally {
      await client.end();
    }
  }

  it('holds a durable UTF-8 database that survives a stop, and that nobody reaches over the network', async () => {
    const first = await start();
    expect(first.said).toEqual(['making the embedded database']);
    expect(await query(first.database, 'SHOW listen_addresses')).toBe('');
    expect(await query(first.database, 'SHOW server_encoding')).toBe('UTF8');
    expect(await query(first.database, 'SHOW lc_collate').catch(() => 'C')).toBe('C');
    expect(await query(first.database, 'SHOW fsync')).toBe('on');
    expect(await query(first.database, 'SHOW synchronous_commit')).toBe('on');
    await query(first.database, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.database.stop();

    const second = await start();
    expect(second.said).toEqual([]);
    expect(await query(second.database, 'SELECT answer FROM kept')).toBe(42);
    expect(readdirSync(dataDir).sort()).toEqual(['database', 'postgres.log']);
  });

  it('keeps what a server holds that a killed process left behind, and starts anew', async () => {
    const { database } = await start();
    await query(database, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const orphan = readPostmaster(join(dataDir, 'database', 'cluster'))?.pid ?? 0;

    const { database: next, said } = await start();
    expect(said).toEqual([expect.stringContaining(`(process ${orphan})`)]);
    expect(identify(orphan)).toBeNull();
    expect(await query(next, 'SELECT answer FROM kept')).toBe(42);
  });

  it('does not mistake another program for a server because it was given the number of one', async () => {
    const { database } = await start();
    await database.stop();
    writeFileSync(join(dataDir, 'database', 'cluster', 'postmaster.pid'), `${process.pid}\n/x\n1\n5432\n/x\n`);
    const { said } = await start();
    expect(said).toEqual([]);
  });

  it('may have a path that is too long for a socket', async () => {
    const { database } = await start(join(root, 'a'.repeat(60), 'b'.repeat(60)));
    expect(await query(database, 'SELECT 1')).toBe(1);
  });

  it('may be where only its own user may enter, also when that is root', async () => {
    chmodSync(root, 0o700);
    const { database } = await start();
    await query(database, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await database.stop();
    const { database: again } = await start();
    expect(await query(again, 'SELECT answer FROM kept')).toBe(42);
  });

  it('throws away what a first start left that was killed half-way', async () => {
    ensureDataDir(dataDir);
    mkdirSync(join(dataDir, 'database.new-0123abcd', 'cluster'), { recursive: true });
    const { database } = await start();
    expect(await query(database, 'SELECT 1')).toBe(1);
    expect(readdirSync(dataDir)).not.toContain('database.new-0123abcd');
  });

  it('is refused and left alone when it holds something else', async () => {
    mkdirSync(join(dataDir, 'database', 'cluster'), { recursive: true });
    await expect(start()).rejects.toThrow(/is damaged.*nothing was changed/);
    expect(readdirSync(join(dataDir, 'database'))).toEqual(['cluster']);
  });

  it('is refused and left alone when another version of PostgreSQL made it', async () => {
    mkdirSync(join(dataDir, 'database', 'cluster'), { recursive: true });
    writeFileSync(join(dataDir, 'database', 'password'), 'x');
    writeFileSync(join(dataDir, 'database', 'cluster', 'PG_VERSION'), '14\n');
    await expect(start()).rejects.toThrow(/made by PostgreSQL 14 and this is \d+/);
  });

  it('says why a damaged database does not start', async () => {
    const { database } = await start();
    await database.stop();
    writeFileSync(join(dataDir, 'database', 'cluster', 'postgresql.conf'), 'no such = setting =\n');
    await expect(start()).rejects.toThrow(StartupError);
  });
});
