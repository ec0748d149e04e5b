import { Logger } from '@nestjs/common';
import { isWithoutRoom } from './connection-refusals.js';
import { DatabaseConnection } from './database-connection.js';

const LOOK_EVERY_MS = 500;
/** A statement that takes longer is asked after. */
const PATIENCE_MS = 4_000;
/** What a server needs at most to say that it is there. */
const PROBE_MS = 3_000;

/** Which of these processes of the server work for a connection. */
const WORKING = `SELECT pid FROM pg_stat_activity WHERE pid = ANY($1::int[]) AND state <> 'idle'`;

/**
 * Tells a slow statement, which has its time, from a server or a network that will never answer: when a statement has
 * taken 4 s, the server is asked on a new connection whether it is there and still at work on it. If not, the
 * connections that wait are cut, so that their requests end and the pool has room again. Until the server answers, no
 * new connection is tried for a request.
 *
 * Behind a pooler a single statement has no lock timeout of its own (`DatabaseConnection`): it is cut after `lockMs`.
 */
export class DatabaseWatch {
  private readonly logger = new Logger('Database');
  private readonly connections = new Set<DatabaseConnection>();
  private readonly asked = new WeakMap<DatabaseConnection, number>();
  private isAsking = false;

  constructor(
    private readonly url: string,
    private readonly lockMs: number,
  ) {
    setInterval(() => {
      this.look();
    }, LOOK_EVERY_MS).unref();
  }

  add(connection: DatabaseConnection): void {
    this.connections.add(connection);
    connection.once('end', () => this.connections.delete(connection));
  }

  private look(): void {
    const now = performance.now();
    const late: DatabaseConnection[] = [];
    for (const connection of this.connections) {
      const { busySince } = connection;
      if (busySince === null || now - busySince < PATIENCE_MS) continue;
      if (!connection.isDirect && !connection.isInTransaction && now - busySince > this.lockMs) connection.cut();
      else if (now - (this.asked.get(connection) ?? busySince) >= PATIENCE_MS) late.push(connection);
    }
    if (late.length > 0 && !this.isAsking) void this.ask(late);
  }

  /** Each of `late` has a statement under way; what has got its answer meanwhile is left alone. */
  private async ask(late: readonly DatabaseConnection[]): Promise<void> {
    this.isAsking = true;
    const since = new Map(late.map((connection) => [connection, connection.busySince]));
    const working = await this.probe(late.flatMap(({ backendPid }) => backendPid ?? []));
    this.isAsking = false;
    if (working === 'full') {
      for (const connection of late) this.asked.set(connection, performance.now());
      return;
    }
    const lost = late.filter((connection) => {
      this.asked.set(connection, performance.now());
      if (connection.busySince === null || connection.busySince !== since.get(connection)) return false;
      return working === null || (connection.backendPid !== null && !working.has(connection.backendPid));
    });
    if (lost.length === 0) return;
    const reason = working === null ? 'PostgreSQL does not answer' : 'PostgreSQL knows nothing of a statement';
    this.logger.warn(`${reason}: ${lost.length} connections are given up`);
    for (const connection of lost) connection.cut();
  }

  /** `null` when there is no answer in time; `full` when the server is there and has no room for the question. */
  private async probe(pids: readonly number[]): Promise<ReadonlySet<number> | 'full' | null> {
    const client = new DatabaseConnection({ connectionString: this.url });
    client.on('error', () => undefined); // it is one of the answers
    const timer = setTimeout(() => {
      client.cut();
    }, PROBE_MS);
    try {
      await client.connect();
      const { rows } = await client.query<{ pid: number }>(WORKING, [pids]);
      return new Set(rows.map(({ pid }) => pid));
    } catch (error) {
      return isWithoutRoom(error) ? 'full' : null;
    } finally {
      clearTimeout(timer);
      void client.end().catch(() => undefined);
    }
  }
}
