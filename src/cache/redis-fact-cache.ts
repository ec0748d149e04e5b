import { withoutShare } from '../fairness/current-share.js';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cache } from 'cache-manager';
import { FactCache, type FactName, type FactRequest, type Subject } from './fact-cache.js';
import { within } from './within.js';

/** How long a fact may live; also how long a write waits that could not tell Redis. Milliseconds. */
export const FACT_TTL_MS = 5_000;
/**
 * Nothing stale hangs on how long a generation lives: a missing one is replaced by another random one, so a load that
 * began under one that has expired meanwhile stores a fact that is never read. It need only outlive most facts under it,
 * or they would be loaded more often; any longer, and requests for invented names fill Redis.
 */
const GENERATION_TTL_MS = 60_000;
/** Redis is asked to save time: when it takes longer than this, PostgreSQL is faster. */
const READ_TIMEOUT_MS = 100;
const WRITE_TIMEOUT_MS = 500;
/** After a failure Redis is left alone for this long, so that an outage costs one request a timeout, not each. */
const PAUSE_MS = 500;

/** What Redis says of a fact. */
interface Known {
  readonly generation: string | undefined;
  /** Whether `value` is the fact, as it was when its subject's generation was last replaced. */
  readonly isFresh: boolean;
  readonly value: unknown;
}

/** Keys that are asked for in one command. */
interface Batch {
  /** Where the key's value will be. */
  place(key: string): number;
  readonly values: Promise<unknown[] | null>;
}

interface Entry {
  readonly generation: string;
  readonly value: unknown;
  /** When it ends, on the clock of the node: a Redis that hangs takes it late and would keep it too long. */
  readonly until: number;
}

/**
 * Facts shared by all nodes. A subject has a generation, a random value that every write of the subject replaces;
 * a fact counts only under the generation that was read before its rows were. Random, never a counter: a Redis that
 * was flushed or fell back to an old replica must not bring an old fact back to life.
 */
export class RedisFactCache extends FactCache {
  override readonly shared = true;
  private pausedUntil = 0;
  private batch: Batch | null = null;

  constructor(private readonly cache: Cache) {
    super();
  }

  override async read<T>(request: FactRequest<T>): Promise<T> {
    const begun = Date.now();
    const known = await this.lookUp(request);
    if (!known) {
      this.counts.errors += 1;
      return withoutShare(() => request.load());
    }
    if (!known.isFresh) {
      this.counts.misses += 1;
      return this.load(request, known.generation, begun);
    }
    this.counts.hits += 1;
    return known.value as T;
  }

  override async peek<T>(fact: FactName<T>): Promise<T | undefined> {
    const known = await this.lookUp(fact);
    if (!known?.isFresh) return undefined; // a read follows a failed peek, and is counted then
    this.counts.hits += 1;
    return known.value as T;
  }

  /** Waits out the life of every fact when Redis cannot be told, so that the promise of `drop` holds all the same. */
  override async drop(subjects: readonly Subject[]): Promise<void> {
    const begun = Date.now();
    try {
      const writes = subjects.map((subject) => this.cache.set(generationKey(subject), randomUUID(), GENERATION_TTL_MS));
      await within(WRITE_TIMEOUT_MS, Promise.all(writes));
    } catch {
      await sleep(FACT_TTL_MS - (Date.now() - begun));
    }
  }

  override async check(): Promise<void> {
    // A question that Redis does not answer looks like one about a key that it does not have.
    await within(WRITE_TIMEOUT_MS, this.cache.set('aerugo:check', true, FACT_TTL_MS));
  }

  private async load<T>(request: FactRequest<T>, known: string | undefined, begun: number): Promise<T> {
    const generation = known ?? randomUUID();
    // Before the rows are read: a write that commits meanwhile replaces it, and the fact then counts for nothing.
    if (known === undefined && !(await this.tell(generationKey(request.subject), generation, GENERATION_TTL_MS))) {
      return withoutShare(() => request.load());
    }
    const value = await withoutShare(() => request.load());
    const until = begun + FACT_TTL_MS;
    const life = until - Date.now();
    if (life > 0) void this.tell(factKey(request), { generation, value, until } satisfies Entry, life);
    return value;
  }

  /** `null` while Redis is away. */
  private async lookUp(fact: FactName<unknown>): Promise<Known | null> {
    const batch = (this.batch ??= this.openBatch());
    const [generationAt, factAt] = [batch.place(generationKey(fact.subject)), batch.place(factKey(fact))];
    const values = await batch.values;
    if (!values) return null;
    const generation = values[generationAt] as string | undefined;
    const entry = values[factAt] as Entry | undefined;
    const isFresh = entry !== undefined && entry.generation === generation && entry.until > Date.now();
    return { generation, isFresh, value: isFresh ? entry.value : undefined };
  }

  /** Takes every question that is asked before the one who asks first waits. It has not been sent until then. */
  private openBatch(): Batch {
    const places = new Map<string, number>();
    const values = Promise.resolve().then(() => {
      this.batch = null;
      return this.ask([...places.keys()]);
    });
    const place = (key: string): number => {
      const at = places.get(key) ?? places.size;
      places.set(key, at);
      return at;
    };
    return { place, values };
  }

  /** `null` while Redis is away. */
  private async ask(keys: string[]): Promise<unknown[] | null> {
    if (Date.now() < this.pausedUntil) return null;
    try {
      const values = within(READ_TIMEOUT_MS, this.cache.mget(keys));
      return await values;
    } catch {
      this.pausedUntil = Date.now() + PAUSE_MS;
      return null;
    }
  }

  private async tell(key: string, value: unknown, ttl: number): Promise<boolean> {
    try {
      await within(WRITE_TIMEOUT_MS, this.cache.set(key, value, ttl));
      return true;
    } catch {
      this.pausedUntil = Date.now() + PAUSE_MS;
      return false;
    }
  }
}

function generationKey(subject: Subject): string {
  return `aerugo:generation:${subject}`;
}

function factKey({ subject, name }: FactName<unknown>): string {
  return `aerugo:fact:${subject}:${name}`;
}
