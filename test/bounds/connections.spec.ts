import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { digestOf, digestOfStream } from '../support/content.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { SlowUpload, slowPull } from './slow-transfer.js';

const CONNECTIONS = 2;
const TRANSFERS = 20;
const MEBIBYTE = 1 << 20;
/** A transaction that is open for longer waits for something that is not the database. */
const LONG_TRANSACTION = '300 milliseconds';

describe(`with ${CONNECTIONS} database connections`, () => {
  let registry: Registry;
  let observer: pg.Client;

  beforeAll(async () => {
    registry = await startRegistry({
      env: {
        DATABASE_MAX_CONNECTIONS: `${CONNECTIONS}`,
        // On S3 the bytes of a pull are to go through the node.
        STORAGE_REDIRECT: 'false',
      },
    });
    observer = new pg.Client({ connectionString: registry.databaseUrl ?? '' });
    await observer.connect();
    await registry.client.pushImage('admin/app', 'v1');
  }, 120_000);

  afterAll(() => observer.end());

  /**
   * Looks for two seconds; gives what it saw that a transfer must not do. A transaction counts when two looks, one after
   * the other, find the same one idle: that of a statement beside the transfers may be long once, on a busy machine.
   */
  const watch = async () => {
    const seen = { longTransactions: [] as unknown[], connections: 0 };
    let before: string[] = [];
    for (let look = 0; look < 20; look++) {
      const { rows } = await observer.query<{ id: string; query: string; is_held: boolean | null }>(
        `SELECT concat(pid, ' ', xact_start) AS id, query,
                state LIKE 'idle in transaction%' AND now() - xact_start > interval '${LONG_TRANSACTION}' AS is_held
           FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND backend_type = 'client backend'`,
      );
      seen.connections = Math.max(seen.connections, rows.length);
      const held = rows.filter(({ is_held }) => is_held);
      seen.longTransactions.push(...held.filter(({ id }) => before.includes(id)));
      before = held.map(({ id }) => id);
      await sleep(100);
    }
    return seen;
  };

  /** That others are served is the point; each of these asks the database. */
  const expectOthersServed = async () => {
    const { client } = registry;
    await client.getManifest('admin/app', 'v1').expect(200);
    await client.pushImage('admin/app', 'v2');
    await client.listTags('admin/app').expect(200);
  };

  it(`${TRANSFERS} slow uploads proceed, and none holds a connection while its bytes stream`, async () => {
    const first = () => randomBytes(200_000);
    const uploads = await Promise.all(
      Array.from({ length: TRANSFERS }, (_, at) => SlowUpload.begin(registry.client, `admin/slow-${at}`, first())),
    );
    const seen = await watch();
    expect(seen.longTransactions).toEqual([]);
    expect(seen.connections).toBeLessThanOrEqual(CONNECTIONS);
    await expectOthersServed();

    for (const upload of uploads) upload.send(randomBytes(MEBIBYTE));
    expect((await watch()).longTransactions).toEqual([]);
    const digests = await Promise.all(uploads.map((upload) => upload.finish(randomBytes(1_000))));
    for (const [at, digest] of digests.entries()) {
      const pulled = await registry.client.pullBlob(`admin/slow-${at}`, digest);
      expect(digestOf(pulled)).toBe(digest);
    }
  }, 120_000);

  it(`${TRANSFERS} slow pulls hold none either`, async () => {
    // More than sockets buffer, so that each pull really waits for its reader.
    const bytes = randomBytes(16 * MEBIBYTE);
    const digest = await registry.client.pushBlob('admin/large', bytes);
    const pulls = await Promise.all(
      Array.from({ length: TRANSFERS }, () => slowPull(registry.client, 'admin/large', digest)),
    );
    const seen = await watch();
    expect(seen.longTransactions).toEqual([]);
    expect(seen.connections).toBeLessThanOrEqual(CONNECTIONS);
    await expectOthersServed();
    expect(await Promise.all(pulls.map((pull) => digestOfStream(pull)))).toEqual(pulls.map(() => digest));
  }, 120_000);
});
