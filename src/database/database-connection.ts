import pg from 'pg';
import { goOnWithoutTls, wantsTlsIfOffered, withUnverifiedTls } from './optional-tls.js';

/** Texts that get a name; beyond it statements are made on the fly, such as TypeORM's with lists of every length. */
const MAX_STATEMENTS = 500;
const START = 'START TRANSACTION';

/** One name a text in the whole process, so that every connection prepares it under the same one. */
const names = new Map<string, string>();
/** Ends when a server says that it does not know a statement that was prepared: something stands between after all. */
let isPreparing = true;

/** How long the server works on a statement, and waits for a lock; milliseconds. */
export interface StatementLimits {
  readonly statementMs: number;
  readonly lockMs: number;
}

/** Told of the work of a pool's connections. */
export interface ConnectionListeners {
  /** How long the server worked, in seconds. */
  worked: ((seconds: number) => void) | null;
  /** Each statement that the server refused because it takes no writes, by its SQLSTATE. */
  refused: ((state: string) => void) | null;
}

/** `listeners` of the pool's options, which every connection of it is made with. */
export interface ConnectionConfig extends pg.ClientConfig {
  readonly listeners?: ConnectionListeners;
}

/**
 * A connection that knows whether it leads to the server itself or to a pooler, which hands every transaction to any
 * connection of its own. To the server: the limits are the session's, and the statements that it has parsed and planned
 * stay there (planning was half of what a small one costs). To a pooler: no session state and no names; the limits
 * travel with the beginning of each transaction, in the same round trip.
 */
export class DatabaseConnection extends pg.Client {
  isDirect = false;
  /** Since when the server has been at work for this connection, on the clock of `performance.now`; `null`: it is not. */
  busySince: number | null = null;
  private begin = START;

  constructor(config?: string | ConnectionConfig) {
    super(withUnverifiedTls(config));
    const listeners = typeof config === 'object' ? config.listeners : undefined;
    if (wantsTlsIfOffered(config)) goOnWithoutTls(this.connection);
    this.on('drain', () => {
      if (this.busySince !== null) listeners?.worked?.((performance.now() - this.busySince) / 1000);
      this.busySince = null;
    });
    this.connection.on('errorMessage', ({ code, message }: { code?: string; message?: string }) => {
      if (code === READ_ONLY || code === DISK_FULL) listeners?.refused?.(code);
      if (code === UNKNOWN_STATEMENT || code === KNOWN_STATEMENT) isPreparing = false;
      // Another server has become the primary, or a migration has changed what a planned statement gives.
      if (code === READ_ONLY || (code === UNSUPPORTED && message?.startsWith('cached plan') === true)) {
        setImmediate(() => {
          this.cut();
        });
      }
    });
  }

  /**
   * The first statement on a new connection. A pooler makes up the process number that it tells its clients, since
   * none of its own connections is theirs.
   */
  async greet({ statementMs, lockMs }: StatementLimits): Promise<void> {
    const { rows } = await this.query<{ direct: boolean }>(GREETING, [
      Reflect.get(this, 'processID') as number,
      String(statementMs),
      String(lockMs),
    ]);
    this.isDirect = rows[0]?.direct === true;
    const limits = `SET LOCAL statement_timeout = ${statementMs}; SET LOCAL lock_timeout = ${lockMs}`;
    this.begin = this.isDirect ? START : `${START}; ${limits}`;
  }

  get isInTransaction(): boolean {
    return this.getTransactionStatus() !== 'I';
  }

  /** The server's own process for this connection; `null` behind a pooler. */
  get backendPid(): number | null {
    return this.isDirect ? (Reflect.get(this, 'processID') as number) : null;
  }

  /** Ends the connection without a word to the server; who waits for an answer gets an error. */
  cut(): void {
    this.connection.stream.destroy();
  }

  /** What is sent for what the caller gave: another text, or a statement with a name. */
  toSend(text: unknown, values: unknown): unknown {
    this.busySince ??= performance.now();
    if (text === START) return this.begin;
    const isNamed = this.isDirect && isPreparing && typeof text === 'string' && isFilled(values);
    const name = isNamed ? nameOf(text) : undefined;
    return name === undefined ? text : { name, text, values };
  }
}

/** SQLSTATEs. */
const UNKNOWN_STATEMENT = '26000';
const KNOWN_STATEMENT = '42P05';
const READ_ONLY = '25006';
const DISK_FULL = '53100';
const UNSUPPORTED = '0A000';
/** serialization_failure and deadlock_detected. */
const TAKEN_BACK: ReadonlySet<string> = new Set(['40001', '40P01']);
const ATTEMPTS = 5;

const GREETING = `
SELECT here.direct, CASE WHEN here.direct THEN set_config('statement_timeout', $2, false) END,
       CASE WHEN here.direct THEN set_config('lock_timeout', $3, false) END
FROM (SELECT pg_backend_pid() = $1::bigint AS direct) here`;

function isFilled(values: unknown): boolean {
  return Array.isArray(values) && values.length > 0;
}

function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= MAX_STATEMENTS) return known;
  const name = `s${names.size}`;
  names.set(text, name);
  return name;
}

type Query = (this: DatabaseConnection, text: unknown, values?: unknown, callback?: unknown) => unknown;
// pg declares `query` by a dozen overloads, none of which a subclass could restate.
const send = Reflect.get(pg.Client.prototype, 'query') as Query;

Reflect.set(DatabaseConnection.prototype, 'query', function (this: DatabaseConnection, text, values, callback) {
  const ask = (): unknown => {
    const sent = this.toSend(text, values);
    return typeof sent === 'object' && sent !== text
      ? send.call(this, sent, callback)
      : send.call(this, sent, values, callback);
  };
  const isAlone = typeof text === 'string' && callback === undefined && !this.isInTransaction;
  return isAlone ? untilItStands(ask) : ask();
} satisfies Query);

/**
 * A statement outside a transaction that PostgreSQL took back for the sake of another has done nothing: a read that met
 * a migration in a deadlock must not be its user's 503. Those in a transaction are `UnitOfWork`'s, which runs it all again.
 */
async function untilItStands(ask: () => unknown): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      const isTakenBack = error instanceof pg.DatabaseError && TAKEN_BACK.has(error.code ?? '');
      if (!isTakenBack || attempt === ATTEMPTS) throw error;
    }
  }
}
