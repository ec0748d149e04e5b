// needs: nginx
import { beforeAll, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { residentMemory } from '../support/processes.js';
import { pushBlob } from './blob-upload.js';
import { CarefulClient } from './careful-client.js';
import { Cluster } from './cluster.js';
import { leftoversOf } from './leftovers.js';
import { mebibytes, report, seconds } from './report.js';
import { RequestLog } from './request-log.js';
import { PATIENCE_MS, scale } from './scale.js';
import { seededBlob } from './seeded-blob.js';

const MOST_MEMORY = 450_000_000;
const MOST_CONNECTIONS = 10;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start({
    nodes: 1,
    env: { UPLOAD_MEMORY_BUDGET: '128MiB', DATABASE_MAX_CONNECTIONS: String(MOST_CONNECTIONS) },
  });
}, PATIENCE_MS);

it(
  'more pushes at once than the budget has room for all succeed, within the memory and connections of the node',
  async () => {
    const { pushes, bytes } = scale.budget;
    const log = new RequestLog();
    const watch = new ConnectionWatch(cluster.database.url);
    await watch.begin();
    const started = Date.now();
    const push = async (at: number): Promise<void> => {
      const client = new CarefulClient(cluster.url, cluster.credentials, log, 15 * 60_000);
      const blob = seededBlob(`budget ${at}`, bytes);
      await pushBlob(client, `${cluster.credentials.username}/budget-${at}`, blob, 'stream').finally(() => {
        client.close();
      });
    };
    await Promise.all(Array.from({ length: pushes }, (_, at) => push(at)));
    const connections = await watch.end();
    const { peak } = residentMemory(cluster.node(0).pid);
    const left = await leftoversOf(cluster);
    report('budget', {
      pushes,
      each: mebibytes(bytes),
      time: seconds(Date.now() - started),
      'most memory': `${Math.round(peak / 1e6)} MB`,
      'most connections': connections,
      'refused for now': log.failed,
      objects: left.objects,
    });
    expect(log.unclean).toEqual([]);
    expect(peak).toBeLessThan(MOST_MEMORY);
    expect(connections).toBeLessThanOrEqual(MOST_CONNECTIONS);
    expect(left).toEqual({
      ...left,
      objects: pushes,
      blobs: pushes,
      multiparts: 0,
      liveUploads: 0,
      unnamed: [],
      missing: [],
    });
  },
  PATIENCE_MS,
);

/** Counts the connections to a database, ten times a second, from a connection of its own. */
class ConnectionWatch {
  private readonly client: pg.Client;
  private most = 0;
  private isOver = false;
  private running: Promise<void> = Promise.resolve();

  constructor(url: string) {
    this.client = new pg.Client({ connectionString: url });
  }

  async begin(): Promise<void> {
    await this.client.connect();
    this.running = this.watch();
  }

  async end(): Promise<number> {
    this.isOver = true;
    await this.running;
    await this.client.end();
    return this.most;
  }

  private async watch(): Promise<void> {
    while (!this.isOver) {
      const { rows } = await this.client.query<{ count: string }>(
        `SELECT count(*) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
      );
      this.most = Math.max(this.most, Number(rows[0]?.count));
      await sleep(100);
    }
  }
}
