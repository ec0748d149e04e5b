import { FAIRNESS, type Resource } from './fairness-counts.js';
import type { Share } from './share.js';
import { WaitingLines } from './waiting-lines.js';

export interface AllotmentOptions {
  readonly resource: Resource;
  /** Bytes or slots, of all shares together. */
  readonly total: number;
  /**
   * A namespace may hold this many times what is still free: 1 leaves half to others while it is alone, 2 a third. The
   * same again for a principal within what its namespace may hold.
   */
  readonly generosity?: number;
  /** How long is waited; milliseconds. */
  readonly patienceMs?: number;
  readonly maxWaiting?: number;
  /** Of one principal in one namespace. */
  readonly maxWaitingOfShare?: number;
}

/** The share is used up and did not become free in time, or too many wait already (429 or 503, with `Retry-After`). */
export class ShareExhausted extends Error {
  override readonly name = 'ShareExhausted';

  constructor(
    readonly resource: Resource,
    readonly retryAfterSeconds = 10,
  ) {
    super(`too many requests at once for the ${resource} that they share`);
  }
}

/** How the holder of what others wait for gets on. */
export interface Progress {
  /** Whether its client keeps it from going on, or lets it go on hardly at all. */
  isStalled(): boolean;
  /** Ends it, so that it releases what it holds soon. */
  end(): void;
}

/** Makes a piece of the amount, where amounts alone do not say whether there is one; false when there is none. */
type Cut = () => boolean;

interface Waiter {
  readonly share: Share;
  readonly amount: number;
  readonly cut: Cut;
  readonly grant: (holding: Holding) => void;
  readonly giveUp: (reason: Error) => void;
}

/** What one request holds of an allotment until it releases it. */
export class Holding {
  /** Set by holders that depend on their clients. */
  progress: Progress | null = null;

  /** Made by `Allotment`. */
  constructor(
    private readonly allotment: Allotment,
    readonly share: Share,
    private held: number,
  ) {}

  get amount(): number {
    return this.held;
  }

  /** Never waits: two holders that wait for more could wait for each other. */
  tryGrow(by: number, cut: Cut = ALWAYS): boolean {
    if (!this.allotment.tryAdd(this.share, by, cut)) return false;
    this.held += by;
    return true;
  }

  /** More than once is as good as once. */
  release(): void {
    const amount = this.held;
    this.held = 0;
    if (amount > 0) this.allotment.giveBack(this, amount);
  }
}

/**
 * Something that requests compete for, shared out by namespace and then by principal (docs/design/fairness.md): dynamic
 * thresholds say how much a share may hold, and what waits is served round-robin.
 */
export class Allotment {
  readonly #resource: Resource;
  readonly #generosity: number;
  readonly #patienceMs: number;
  readonly #maxWaiting: number;
  readonly #maxWaitingOfShare: number;
  readonly #waiters = new WaitingLines<Waiter>();
  readonly #holdings = new Set<Holding>();
  /** Held by namespace, by principal, and by principal within a namespace. */
  readonly #held = new Map<string, number>();
  #free: number;
  /** The next in turn holds nothing yet and waits only for room: it is not overtaken. */
  #isReserved = false;

  constructor(options: AllotmentOptions) {
    this.#resource = options.resource;
    this.total = options.total;
    this.#free = options.total;
    this.#generosity = options.generosity ?? 1;
    this.#patienceMs = options.patienceMs ?? 20_000;
    this.#maxWaiting = options.maxWaiting ?? 1_000;
    this.#maxWaitingOfShare = options.maxWaitingOfShare ?? 250;
  }

  readonly total: number;

  get free(): number {
    return this.#free;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  /** `null` when the share is used up, or when others of it wait already. */
  tryTake(share: Share, amount: number, cut: Cut = ALWAYS): Holding | null {
    return this.tryAdd(share, amount, cut) ? this.#hold(share, amount) : null;
  }

  /** Throws `ShareExhausted`, or the signal's reason when it aborts first. */
  take(share: Share, amount: number, signal: AbortSignal | null = null, cut: Cut = ALWAYS): Promise<Holding> {
    if (signal?.aborted) return Promise.reject(reasonOf(signal));
    const taken = this.tryTake(share, amount, cut);
    return taken ? Promise.resolve(taken) : this.#wait(share, amount, signal, cut);
  }

  /** Whether the share could take it now, others of it aside; `ended` is no longer held. */
  hasRoom({ namespace, principal }: Share, amount: number, ended: Ended = NOTHING_ENDED): boolean {
    const free = this.#free + ended.all;
    const ofNamespace = this.#heldBy(namespace, null) - ended.ofNamespace;
    const threshold = this.#generosity * free;
    return (
      amount <= free &&
      ofNamespace + amount <= threshold &&
      this.#heldBy(null, principal) - ended.ofPrincipal + amount <= threshold &&
      this.#heldBy(namespace, principal) - ended.ofBoth + amount <= this.#generosity * (threshold - ofNamespace)
    );
  }

  /** Used by `Holding`. */
  tryAdd(share: Share, amount: number, cut: Cut): boolean {
    if (this.#isReserved || this.#waiters.lengthOf(share) > 0) return false;
    if (!this.hasRoom(share, amount) || !cut()) return false;
    this.#account(share, amount);
    return true;
  }

  /** Used by `Holding`. */
  giveBack(holding: Holding, amount: number): void {
    this.#holdings.delete(holding);
    this.#account(holding.share, -amount);
    this.#serve();
  }

  #hold(share: Share, amount: number): Holding {
    const holding = new Holding(this, share, amount);
    this.#holdings.add(holding);
    return holding;
  }

  #account(share: Share, amount: number): void {
    this.#free -= amount;
    for (const key of keysOf(share)) {
      const held = (this.#held.get(key) ?? 0) + amount;
      if (held === 0) this.#held.delete(key);
      else this.#held.set(key, held);
    }
  }

  #heldBy(namespace: string | null, principal: string | null): number {
    return this.#held.get(keyOf(namespace, principal)) ?? 0;
  }

  /** Gives to those who wait, as long as there is something for one of them. */
  #serve(): void {
    this.#isReserved = false;
    for (let next = this.#next(); next; next = this.#next()) {
      this.#account(next.share, next.amount);
      this.#waiters.serve(next);
      next.grant(this.#hold(next.share, next.amount));
    }
  }

  #next(): Waiter | null {
    for (const waiter of this.#waiters.heads()) {
      const { share, amount, cut } = waiter;
      if (this.hasRoom(share, amount) && cut()) return waiter;
      // One whose share holds something already waits for itself, and others may pass.
      if (this.#heldBy(share.namespace, null) > 0 || this.#heldBy(null, share.principal) > 0) continue;
      this.#isReserved = true;
      return null;
    }
    return null;
  }

  #wait(share: Share, amount: number, signal: AbortSignal | null, cut: Cut): Promise<Holding> {
    if (this.#waiters.lengthOf(share) >= this.#maxWaitingOfShare || !this.#hasPlaceFor(share))
      return Promise.reject(this.exhausted());
    const { promise, resolve, reject } = Promise.withResolvers<Holding>();
    const leave = (): void => {
      FAIRNESS.waiting.add(this.#resource, -1);
      clearTimeout(patience);
      clearTimeout(reclaiming);
      signal?.removeEventListener('abort', onAbort);
    };
    const giveUp = (reason: Error): void => {
      leave();
      this.#waiters.remove(waiter);
      // The one behind may want less than this one did.
      this.#serve();
      reject(reason);
    };
    const waiter: Waiter = {
      share,
      amount,
      cut,
      grant: (holding) => {
        leave();
        resolve(holding);
      },
      giveUp,
    };
    const onAbort = (): void => {
      if (signal) giveUp(reasonOf(signal));
    };
    const patience = setTimeout(() => {
      giveUp(this.exhausted());
    }, this.#patienceMs);
    const reclaiming = setTimeout(() => {
      this.reclaim(share, amount);
    }, this.#patienceMs / 2);
    signal?.addEventListener('abort', onAbort);
    FAIRNESS.waiting.add(this.#resource);
    this.#waiters.add(waiter);
    this.#serve();
    return promise;
  }

  /** When all places are taken, the longest queue gives one up for a shorter one, so that few shares cannot fill them all. */
  #hasPlaceFor(share: Share): boolean {
    if (this.#waiters.length < this.#maxWaiting) return true;
    const last = this.#waiters.lastOfLongest();
    if (last === null || this.#waiters.lengthOf(last.share) <= this.#waiters.lengthOf(share) + 1) return false;
    last.giveUp(this.exhausted());
    return true;
  }

  /**
   * Ends holders whose clients keep others waiting, until the share would have room: of all shares where too little is
   * free, and else only those that use up this one.
   */
  reclaim(share: Share, amount: number): void {
    const isFull = amount > this.#free;
    const chosen: Holding[] = [];
    const ended = { ...NOTHING_ENDED };
    for (const holding of this.#holdings) {
      if (this.hasRoom(share, amount, ended)) break;
      const isOfNamespace = holding.share.namespace === share.namespace;
      const isOfPrincipal = holding.share.principal === share.principal;
      if (!isFull && !isOfNamespace && !isOfPrincipal) continue;
      if (holding.progress?.isStalled() !== true) continue;
      chosen.push(holding);
      ended.all += holding.amount;
      if (isOfNamespace) ended.ofNamespace += holding.amount;
      if (isOfPrincipal) ended.ofPrincipal += holding.amount;
      if (isOfNamespace && isOfPrincipal) ended.ofBoth += holding.amount;
    }
    for (const { progress } of chosen) {
      FAIRNESS.reclaimed.add(this.#resource);
      progress?.end();
    }
  }

  /** What to throw when nothing could be taken, without waiting. */
  exhausted(): ShareExhausted {
    FAIRNESS.refused.add(this.#resource);
    return new ShareExhausted(this.#resource);
  }
}

const ALWAYS: Cut = () => true;

/** What holders that are about to end hold: of all, and of these what counts for a share. */
interface Ended {
  readonly all: number;
  readonly ofNamespace: number;
  readonly ofPrincipal: number;
  readonly ofBoth: number;
}

const NOTHING_ENDED: Ended = { all: 0, ofNamespace: 0, ofPrincipal: 0, ofBoth: 0 };

/** `null` stands for all of them. Neither part can have the separator. */
function keyOf(namespace: string | null, principal: string | null): string {
  return `${namespace ?? '*'} ${principal ?? '*'}`;
}

function keysOf({ namespace, principal }: Share): readonly string[] {
  return [keyOf(namespace, null), keyOf(null, principal), keyOf(namespace, principal)];
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
