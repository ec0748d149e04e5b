// needs: openssl
// once: its servers are its own
import { chownSync, copyFileSync, chmodSync, statSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { type Authority, makeAuthority } from '../support/certificates.js';
import { startPostgres } from '../support/postgres.js';
import { startRegistry } from '../support/registry.js';

describe('PostgreSQL with TLS', () => {
  let authority: Authority;
  let url: string;

  const ask = async <Row extends pg.QueryResultRow>(text: string): Promise<Row[]> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  };

  beforeAll(async () => {
    authority = await makeAuthority();
    const server = await startPostgres();
    ({ url } = server);
    const { cert, key } = await authority.issue('postgres');
    const { uid, gid } = statSync(server.dataDirectory);
    for (const [from, name] of [
      [cert, 'tls.crt'],
      [key, 'tls.key'],
    ] as const) {
      const to = path.join(server.dataDirectory, name);
      copyFileSync(from, to);
      chmodSync(to, 0o600); // PostgreSQL takes no key that others may read
      chownSync(to, uid, gid);
    }
    await ask(`ALTER SYSTEM SET ssl_cert_file = 'tls.crt'`);
    await ask(`ALTER SYSTEM SET ssl_key_file = 'tls.key'`);
    await ask(`ALTER SYSTEM SET ssl = on`);
    await server.restart();
  }, 90_000);

  /** Since PostgreSQL 18 one that has not agreed on TLS yet is listed, too: it is starting. */
  const connections = (which: string) =>
    ask<{ ssl: boolean }>(
      `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
       WHERE pid <> pg_backend_pid() AND state IS DISTINCT FROM 'starting' AND ${which}`,
    );

  const start = (ca: string) =>
    startRegistry({ env: { DATABASE_URL: `${url}?sslmode=verify-full&sslrootcert=${encodeURIComponent(ca)}` } });

  it('is used with its authority, on every connection', async () => {
    await start(authority.ca);
    const rows = await connections('client_addr IS NOT NULL');
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter(({ ssl }) => !ssl)).toEqual([]);
  }, 60_000);

  it.each(['prefer', 'allow'])(
    'is used unverified with sslmode=%s, as libpq does',
    async (mode) => {
      await startRegistry({ env: { DATABASE_URL: `${url}?sslmode=${mode}&application_name=${mode}` } });
      const rows = await connections(`application_name = '${mode}'`);
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.filter(({ ssl }) => !ssl)).toEqual([]);
    },
    60_000,
  );

  it('is refused when another authority signed its certificate', async () => {
    const other = await makeAuthority();
    await expect(start(other.ca)).rejects.toThrow(/sslrootcert/);
  }, 60_000);
});
