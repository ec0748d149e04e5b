import { Logger } from '@nestjs/common';
import pg from 'pg';
import { Allotment, type Holding } from '../fairness/allotment.js';
import { currentShare } from '../fairness/current-share.js';
import { isWithoutRoom } from './connection-refusals.js';

/** How long no further connection is tried after the server has refused one; milliseconds. */
const HOLD_MS = 2_000;
/** As long as the pool has none at all, so that none can be returned. */
const HOLD_EMPTY_MS = 250;
/** Between two lines of the log. */
const QUIET_MS = 60_000;

type Done = (destroy?: unknown) => void;
type Callback = (error: Error | undefined, client: unknown, done: Done) => void;

interface Waiter {
  readonly callback: Callback;
  readonly timedOut: boolean;
}

/**
 * A namespace that is alone may have two thirds of the connections, one principal of it somewhat less: statements of
 * several requests go out together, and a commit waits for the disk.
 */
const GENEROSITY = 2;
/** Of one principal, and of all. More than a node serves in the time that they would wait. */
const MAX_WAITING_OF_SHARE = 1_000;
const MAX_WAITING = 5_000;

/** What pg's pool is made of, which its types do not say. */
interface Internals {
  readonly options: { readonly max: number; readonly connectionTimeoutMillis?: number };
  readonly ending: boolean;
  readonly _clients: readonly unknown[];
  readonly _pendingQueue: Waiter[];
  connect(callback?: Callback): unknown;
  _isFull(): boolean;
  _pulseQueue(): void;
  newClient(waiter: Waiter): void;
}

const Pool = pg.Pool as unknown as new (options: object) => Internals;

/**
 * A pool over a server that may let in fewer connections than the pool could have: a limit of the role or of the
 * database, a server that others use too. Who meets the limit waits for a connection that is there, as those do who
 * find the pool full, and within the same time. For a moment after a refusal the pool counts as full.
 *
 * Requests get connections by their share (docs/design/fairness.md), work of the node itself as they become free.
 */
class ConnectionPool extends Pool {
  readonly #logger = new Logger('Database');
  readonly #refused = new WeakSet<Waiter>();
  #isHeld = false;
  /** Connections under way. */
  #coming = 0;
  #room = Infinity;
  /** The newest refusal that the log does not say yet. */
  #refusal: Error | undefined;
  #quietUntil = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  readonly #shares = new Allotment({
    resource: 'connections',
    total: this.options.max,
    generosity: GENEROSITY,
    maxWaiting: MAX_WAITING,
    maxWaitingOfShare: MAX_WAITING_OF_SHARE,
  });

  /** Requests that wait for their share, before they wait for a connection. */
  get waitingForShare(): number {
    return this.#shares.waiting;
  }

  override connect(callback?: Callback): unknown {
    const share = currentShare();
    if (share === null || callback === undefined) return super.connect(callback);
    const turn = this.#shares.tryTake(share, 1);
    if (turn) return super.connect(withTurn(turn, callback));
    this.#shares.take(share, 1).then(
      (taken) => super.connect(withTurn(taken, callback)),
      (error: unknown) => {
        callback(error as Error, undefined, () => undefined);
      },
    );
    return undefined;
  }

  override _isFull(): boolean {
    return super._isFull() || (this.#isHeld && this._clients.length >= this.#room);
  }

  override newClient(waiter: Waiter): void {
    const startedAt = performance.now();
    this.#coming += 1;
    super.newClient({
      timedOut: false, // pg calls back in any case
      callback: (error, client, done) => {
        this.#coming -= 1;
        if (error !== undefined && isWithoutRoom(error) && !this.ending) this.#refuse(waiter, error, startedAt);
        else if (!waiter.timedOut) waiter.callback(error, client, done);
        else if (error === undefined) done();
        if (this.#coming === 0) this.#warn();
        // Only what is given back wakes the next one otherwise, though the server may have room for it too.
        if (error === undefined) this._pulseQueue();
      },
    });
  }

  /** `waiter` was the next one before it was tried, so it is again, unless its time is over. */
  #refuse(waiter: Waiter, refusal: Error, startedAt: number): void {
    this.#hold();
    this.#refusal = refusal;
    if (waiter.timedOut) return;
    // One that was refused before has its timer still.
    this._pendingQueue.unshift(this.#refused.has(waiter) ? waiter : this.#waiting(waiter, refusal, startedAt));
    this._pulseQueue(); // a connection may have become free since
  }

  /** The waiter with a time-out of its own, since pg has none for those who found room. Its callback is called once. */
  #waiting(waiter: Waiter, refusal: Error, startedAt: number): Waiter {
    let isOver = false;
    const waiting: Waiter = {
      // A connection that comes too late goes back to the pool only when the pool sees that.
      get timedOut() {
        return isOver || waiter.timedOut;
      },
      callback: (error, client, done) => {
        clearTimeout(timer);
        waiter.callback(error, client, done);
      },
    };
    const left = (this.options.connectionTimeoutMillis ?? 0) - (performance.now() - startedAt);
    const timer = setTimeout(
      () => {
        const at = this._pendingQueue.indexOf(waiting);
        if (at !== -1) this._pendingQueue.splice(at, 1);
        if (waiting.timedOut) return;
        isOver = true;
        waiter.callback(refusal, undefined, () => undefined);
      },
      Math.max(0, left),
    );
    this.#refused.add(waiting);
    return waiting;
  }

  #hold(): void {
    // Those under way may be refused as well: were they counted, each refusal would leave room for one more try.
    this.#room = this._clients.length - this.#coming;
    const holdMs = this.#room === 0 ? HOLD_EMPTY_MS : HOLD_MS;
    this.#isHeld = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isHeld = false;
      if (!this.ending) this._pulseQueue();
    }, holdMs).unref();
  }

  /** Only when none is under way is it known how many the server lets in: refusals overtake connections. */
  #warn(): void {
    const refusal = this.#refusal;
    this.#refusal = undefined;
    const now = performance.now();
    if (refusal === undefined || now < this.#quietUntil) return;
    this.#quietUntil = now + QUIET_MS;
    const connections = this._clients.length;
    this.#logger.warn({
      event: 'database.limit',
      connections,
      message:
        `PostgreSQL lets in no more than ${connections} connections of ${this.options.max} (${refusal.message}): requests ` +
        'wait for these; lower DATABASE_MAX_CONNECTIONS, or raise the limit of the role, the database or the server',
    });
  }
}

/** The turn ends with the connection's use, or at once when there is none. */
function withTurn(turn: Holding, callback: Callback): Callback {
  return (error, client, done) => {
    if (error !== undefined) {
      turn.release();
      callback(error, client, done);
      return;
    }
    callback(undefined, client, (destroy) => {
      done(destroy);
      turn.release();
    });
  };
}

/** The driver as TypeORM takes it. */
export const DRIVER: object = Object.create(pg, { Pool: { value: ConnectionPool } }) as object;
